"""AWX's activity stream: who changed what of a user, as AWX 24.6.1 was observed to write it.

One entry for each effective change, `changes` maps a field to its old and new value. Entries about a user
and entries of what the user did stand in one list. A change of the auditor role has no actor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connectors.sdk.fields import Field, decode
from connectors.sdk.model import Change, Json
from connectors.sdk.text import one_line

ENTRIES = 200  # AWX's own cap of a page
_OLD_AND_NEW = 2


def changes_in(results: Json, remote_id: str, fields: Iterable[Field]) -> tuple[Change, ...]:
    """The changes of one user, in the order of the entries; what is no entry tells nothing."""
    entries = results if isinstance(results, list) else []
    known = [entry for entry in entries if isinstance(entry, dict) and _is_about(entry, remote_id)]
    rows = list(fields)
    return tuple(change for entry in known for change in _changes(entry, rows))


def _is_about(entry: Mapping[str, Json], remote_id: str) -> bool:
    users = _object(entry.get("summary_fields")).get("user")
    ids = [str(_object(user).get("id")) for user in users] if isinstance(users, list) else []
    return entry.get("object1") == "user" and ids == [remote_id]


def _changes(entry: Mapping[str, Json], fields: Iterable[Field]) -> Iterator[Change]:
    actor = _object(_object(entry.get("summary_fields")).get("actor")).get("username")
    by = one_line(actor) if isinstance(actor, str) and actor else None
    pairs = _object(entry.get("changes"))
    new = {
        name: pair[1] for name, pair in pairs.items() if isinstance(pair, list) and len(pair) == _OLD_AND_NEW
    }
    for name, value in decode(fields, new).items():
        yield Change(name, value, by, one_line(str(entry.get("timestamp") or "")))


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
