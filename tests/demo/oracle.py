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

FULL_NAME = "full name"
"""No attribute of HR's: made of the display name, else of the other two."""

SAME_EVERYWHERE = {"username": "user_name", "email": "email"}
TWO_NAMES = {**SAME_EVERYWHERE, "first_name": "given_name", "last_name": "family_name"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "awx": {**TWO_NAMES, "is_superuser": "custom.operations_admin"},
    "authentik": {
        **SAME_EVERYWHERE,
        "name": FULL_NAME,
        "is_active": "active",
        "groups": "groups",
        "attributes.department": "department",
        "attributes.title": "title",
        "attributes.employee_number": "employee_number",
        "attributes.phone": "phone_number",
    },
    "django_admin": {**TWO_NAMES, "is_active": "active", "is_staff": "custom.operations_admin"},
    "staff_users": {
        **TWO_NAMES,
        "mobile_number": "phone_number",
        "gender": "gender",
        "is_active": "active",
        "avatar": "picture",
        "groups": "groups",
    },
}
"""Target -> field -> the attribute that it shows."""

MANAGED: Mapping[str, frozenset[str]] = {"staff_users": frozenset({"Editors", "Writers"})}
"""Target -> the groups in which nobody stays whom HR does not name. Elsewhere groups are only added."""

DERIVED: Mapping[str, frozenset[str]] = {
    "awx": frozenset({"related", "summary_fields"}),
    "authentik": frozenset({"last_updated"}),
    "django_admin": frozenset(),
    "staff_users": frozenset({"full_name", "updated_at"}),
}
"""Target -> what the target itself derives from other fields."""

NAMED_GROUPS = frozenset({"groups_obj", "groups_data"})
BELOW = "attributes."

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


def with_pictures(person: Person, digests: Mapping[str, str]) -> Person:
    """The person with the SHA-256 of the picture instead of its name."""
    return {**person, "picture": digests[person["picture"]]} if person.get("picture") else person


def flat(row: Row) -> dict[str, Any]:
    """An account with its groups by name and each of its free attributes as a field of its own."""
    plain = {name: value for name, value in row.items() if name not in ("attributes", *NAMED_GROUPS)}
    for name in NAMED_GROUPS & row.keys():
        plain["groups"] = sorted(group["name"] for group in row[name])
    return {**plain, **{f"{BELOW}{key}": value for key, value in row.get("attributes", {}).items()}}


def wanted_row(target: str, before: Row, person: Person, held: Collection[str]) -> dict[str, Any]:
    """The account as it must be: what HR said in its fields, all else as before, held fields too.

    A held set of groups gains nothing, but loses what HR took away.
    """
    person = {**person, **_full_name(person)}
    spoken = {
        field: _shown(field, person[attribute])
        for field, attribute in FIELDS[target].items()
        if attribute in person and field not in held
    }
    if "groups" in FIELDS[target] and "groups" in person:
        spoken["groups"] = _memberships(target, before, person["groups"] or [], "groups" in held)
    return {**before, **spoken}


def _full_name(person: Person) -> Person:
    if person.get("display_name"):
        return {FULL_NAME: person["display_name"]}
    if "given_name" in person and "family_name" in person:
        return {FULL_NAME: " ".join(filter(None, (person["given_name"], person["family_name"])))}
    return {FULL_NAME: None} if "display_name" in person else {}


def _shown(field: str, value: Any) -> Any:
    return "" if value is None and not field.startswith(BELOW) else value


def _memberships(target: str, before: Row, said: Sequence[str], held: bool) -> list[str]:
    have, want = set(before.get("groups", [])), set(said)
    managed = MANAGED.get(target)
    due = have | want if managed is None else (have - managed) | (want & managed)
    return sorted(due & have if held else due)


def differences(target: str, wanted: Row, shown: Row) -> list[str]:
    """Each field that is not as it must be, in words; fields that came or went included."""
    names = sorted((wanted.keys() | shown.keys()) - DERIVED[target])
    return [
        f"{name}: {shown.get(name, 'nothing')!r} is shown, {wanted.get(name, 'nothing')!r} is due"
        for name in names
        if name not in wanted or name not in shown or wanted[name] != shown[name]
    ]
