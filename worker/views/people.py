"""A person as stored, as JSON. Values that the configuration has masked are masked here too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from config.settings import Settings
from connectors.sdk.model import Json
from worker.domain.identity import Asserted
from worker.domain.masking import masked
from worker.engine.people import PersonLook, Presence
from worker.storage.audit import stamp
from worker.target_rules import sensitive_attributes

Hidden: TypeAlias = frozenset[str]


def hidden_of(settings: Settings, found: PersonLook) -> Hidden:
    """Attributes whose values are not shown: those of the configuration, and what sensitive fields show."""
    return hidden_among(settings, found.identity.attributes)


def hidden_among(settings: Settings, names: Iterable[str]) -> Hidden:
    listed = {name for name in names if settings.audit.masks((name,))}
    return frozenset(listed | sensitive_attributes(settings))


def person_json(found: PersonLook, hidden: Hidden) -> dict[str, Json]:
    known = found.identity
    return {
        "subject": known.subject,
        "revision": known.revision,
        "aliases": [
            {"subject": one.subject, "by": one.by, "at": stamp(one.at), "merged": one.merged}
            for one in found.aliases
        ],
        "wake_at": None if found.wake_at is None else stamp(found.wake_at),
        "attributes": {name: _attribute_json(found, name, hidden) for name in sorted(known.attributes)},
        "waiting_events": [one.event.id for one in found.waiting],
        "accounts": [_account_json(presence) for presence in found.presences],
    }


def _attribute_json(found: PersonLook, name: str, hidden: Hidden) -> Json:
    held = found.identity.attributes[name]
    event = found.events.get(held.event)
    return {
        "value": shown_value(name, held, hidden),
        "former": _former(name, held, hidden),
        "revision": held.revision,
        "source": held.source,
        "event": event.event.id if event is not None else None,
        "time": stamp(event.event.time) if event is not None else None,
        "correlation": event.correlation if event is not None else None,
    }


def _account_json(presence: Presence) -> Json:
    look = presence.look
    account = look.claim.account
    return {
        "target": presence.target,
        "remote_id": account.remote_id,
        "acknowledged": account.applied_revision,
        "state": presence.state,
        "held": [*sorted(account.held)],
        "due_at": None if look.due_at is None else stamp(look.due_at),
        "observed_at": None if account.observed is None else stamp(account.observed_at),
    }


def shown_value(name: str, held: Asserted, hidden: Hidden) -> Json:
    return masked(held.value) if name in hidden else held.value


def _former(name: str, held: Asserted, hidden: Hidden) -> list[Json]:
    former: Sequence[Json] = held.former
    return [masked(old) for old in former] if name in hidden else [*former]
