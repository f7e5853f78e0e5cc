"""What a merge or a rekey does, as JSON. Values that the configuration has masked are masked here too."""

from __future__ import annotations

from connectors.sdk.model import Json
from worker.domain.identity import Asserted
from worker.engine.merging import MergeLook, Said
from worker.engine.rekeying import Rekeyed
from worker.views.people import Hidden, shown_value


def rekey_json(done: Rekeyed) -> dict[str, Json]:
    return {"subject": done.after, "alias": done.before, "revision": done.revision}


def merge_json(seen: MergeLook, hidden: Hidden) -> dict[str, Json]:
    return {
        "from": seen.gone,
        "into": seen.into,
        "revision": seen.revision,
        "agrees": [one.name for one in seen.said if one.agrees],
        "leaver": seen.leaves,
        "attributes": {one.name: _said_json(one, hidden) for one in seen.said},
        "accounts": [
            {"target": place.target, "from": place.gone, "into": place.into, "fate": place.fate.value}
            for place in seen.places
        ],
    }


def _said_json(one: Said, hidden: Hidden) -> Json:
    def value(held: Asserted | None) -> Json:
        return None if held is None else shown_value(one.name, held, hidden)

    after = value(one.after)
    return {"from": value(one.gone), "into": value(one.into), "after": after, "changes": one.moves}
