"""A link that an operator makes or takes away, as JSON. Values are masked as the audit masks them."""

from __future__ import annotations

from connectors.sdk.model import Json
from worker.engine.link_reading import Candidate
from worker.engine.linking import Changed


def changed_json(target: str, subject: str, done: Changed) -> dict[str, Json]:
    return {"target": target, "subject": subject, "former": done.former, "remote_id": done.remote_id}


def seen_json(seen: Candidate) -> dict[str, Json]:
    return {
        "name": seen.name,
        "agrees": list(seen.agrees),
        "differs": list(seen.differs),
        "rights": dict(seen.rights),
    }
