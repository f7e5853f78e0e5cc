"""A dialect for what an API replaces whole: groups by id, and one object of free attributes.

The engine sees names of groups, and each attribute as a field `attributes.KEY`. What is sent holds every
group that was meant and, beside our attributes, all those that the account has: `attributes` is what a read
showed just before. Never raises, sends nothing. Safe from many threads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from connectors.sdk.answers import json_of
from connectors.sdk.model import Json, Record
from connectors.sdk.names import Id, NameIds, UnknownNameError
from connectors.sdk.text import is_storable

BELOW: Final = "attributes."
# Words that end a look-up of Django's instead of naming a key, and numbers, which name a place in a list.
NO_KEY: Final = re.compile(
    r".*__.*|\d+|i?(exact|contains|startswith|endswith|regex)|contained_by|in|[gl]te?|isnull|range|has_(any_)?keys?"
)
TRANSLATED: Final = frozenset({"attributes", "groups", "groups_obj"})


class Containers:
    """`names` learns from `groups_obj`, the groups as an answer shows them beside their ids."""

    def __init__(self, names: NameIds, attributes: Record) -> None:
        self._names = names
        self._attributes = attributes

    def shown(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        """See `Dialect.shown`."""
        for number, name in _described(body.get("groups_obj")):
            self._names.learn(number, name)
        shown = {name: value for name, value in body.items() if name not in TRANSLATED}
        groups, attributes = body.get("groups"), body.get("attributes")
        if isinstance(groups, list):
            shown["groups"] = [self._names.name_of(str(number)) for number in groups]
        if isinstance(attributes, dict):
            shown |= {f"{BELOW}{key}": value for key, value in attributes.items()}
        return shown

    def sent(self, values: Record) -> tuple[dict[str, Json], dict[str, str]]:
        """See `Dialect.sent`."""
        wire = {name: value for name, value in values.items() if not name.startswith(BELOW)}
        ours = {name[len(BELOW) :]: value for name, value in values.items() if name.startswith(BELOW)}
        if ours:
            wire["attributes"] = {**self._attributes, **ours}
        groups = values.get("groups")
        if not isinstance(groups, list):
            return wire, {}
        try:
            ids = {str(self._names.id_of(str(name))) for name in groups}
        except UnknownNameError as error:
            return wire, {"groups": str(error)}
        return {**wire, "groups": [*sorted(ids)]}, {}


def attributes_in(body: bytes) -> Record | None:
    """The attributes of an account as it was answered; None where they could not be sent back."""
    try:
        account = json_of(body)
        attributes = account.get("attributes") if isinstance(account, dict) else None
        json.dumps(attributes, allow_nan=False)
    except ValueError:
        return None
    return attributes if isinstance(attributes, dict) else None


def nameable(wanted: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The attributes among `wanted` that the API's filter can name, with the values they could have."""
    found: dict[str, tuple[str, ...]] = {}
    for name, values in wanted.items():
        key = name.removeprefix(BELOW)
        usable = tuple(dict.fromkeys(value for value in values if value.strip() and is_storable(value)))
        if name.startswith(BELOW) and key and NO_KEY.fullmatch(key) is None and usable:
            found[name] = usable
    return found


def named_ids(options: Mapping[str, Json], option: str, marks: re.Pattern[str]) -> dict[str, Id]:
    """The table `options.<option>` of name = id, where `#ID` looks like `marks`. Raises `ValueError`."""
    table = options.get(option, {})
    if not isinstance(table, dict):
        raise ValueError(f"options.{option} must be a table of name = id")  # noqa: TRY004  # as for any option
    named: dict[str, Id] = {}
    for name, number in table.items():
        if not name.strip() or name != name.strip() or marks.fullmatch(name):
            raise ValueError(f"options.{option}: {name!r} cannot be a name")
        if not isinstance(number, str) or marks.fullmatch(f"#{number}") is None:
            raise ValueError(f"options.{option}.{name} must be the id of one")
        if number in named.values():
            raise ValueError(f"options.{option}: the id {number} has two names")
        named[name] = number
    return named


def _described(groups: Json) -> Iterator[tuple[str, str]]:
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, dict):
            number, name = group.get("pk"), group.get("name")
            if isinstance(number, str) and isinstance(name, str):
                yield number, name
