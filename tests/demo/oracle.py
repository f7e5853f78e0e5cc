"""What the accounts must look like in the end, by an independent reading of the events file.

For each attribute of a person the newest event by time wins, null clears; what no event names stays.
Knows nothing of `worker` and `connectors`, on purpose. Pure.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Person: TypeAlias = dict[str, Any]
"""Attribute -> value; None where HR cleared it, absent where HR never spoke of it."""

Row: TypeAlias = Mapping[str, Any]
"""One account as a target shows it."""

SAME_EVERYWHERE = {
    "username": "user_name",
    "first_name": "given_name",
    "last_name": "family_name",
    "email": "email",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "awx": {**SAME_EVERYWHERE, "is_superuser": "custom.operations_admin"},
    "django_admin": {
        **SAME_EVERYWHERE,
        "is_active": "active",
        "is_staff": "custom.operations_admin",
    },
}
"""Target -> field -> the attribute that it shows."""

DERIVED: Mapping[str, frozenset[str]] = {
    "awx": frozenset({"related", "summary_fields"}),
    "django_admin": frozenset(),
}
"""Target -> what the target itself derives from other fields."""

ACTIVE_BY_TYPE = {
    "hirewire.person.joined": True,
    "hirewire.person.left": False,
    "hirewire.person.returned": True,
}


def read_people(lines: Sequence[str], refused: Collection[int]) -> dict[str, Person]:
    """Subject -> person. `refused` are the numbers (from 1) of lines that say nothing."""
    said: dict[str, dict[str, tuple[dt.datetime, Any]]] = {}
    for number, line in enumerate(lines, start=1):
        if number in refused:
            continue
        event = json.loads(line)
        at = dt.datetime.fromisoformat(event["time"])
        person = said.setdefault(event["subject"], {})
        for name, value in _statements(event):
            if name not in person or person[name][0] <= at:
                person[name] = (at, value)
    return {subject: {name: value for name, (_, value) in person.items()} for subject, person in said.items()}


def _statements(event: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    data = dict(event["data"])
    for name, value in data.pop("custom", {}).items():
        yield f"custom.{name}", value
    if event["type"] in ACTIVE_BY_TYPE and "active" not in data:
        yield "active", ACTIVE_BY_TYPE[event["type"]]
    yield from data.items()


def wanted_row(target: str, before: Row, person: Person, held: Collection[str]) -> dict[str, Any]:
    """The account as it must be: what HR said in its fields, all else as before, held fields too."""
    spoken = {
        field: "" if person[attribute] is None else person[attribute]
        for field, attribute in FIELDS[target].items()
        if attribute in person and field not in held
    }
    return {**before, **spoken}


def differences(target: str, wanted: Row, shown: Row) -> list[str]:
    """Each field that is not as it must be, in words; fields that came or went included."""
    names = sorted((wanted.keys() | shown.keys()) - DERIVED[target])
    return [
        f"{name}: {shown.get(name, 'nothing')!r} is shown, {wanted.get(name, 'nothing')!r} is due"
        for name in names
        if name not in wanted or name not in shown or wanted[name] != shown[name]
    ]
