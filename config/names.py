"""The closed vocabularies of the configuration: names, attributes, native event types. Pure data."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

NAME_PATTERN: Final = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
"""Of a source, target or sidecar. No double underscore, so that the environment can address each option."""

ATTRIBUTES: Final = (
    "user_name",
    "given_name",
    "family_name",
    "display_name",
    "email",
    "phone_number",
    "active",
    "gender",
    "picture",
    "groups",
    "title",
    "department",
    "employee_number",
    "manager",
    "user_type",
    "locale",
    "zoneinfo",
    "start_date",
    "end_date",
)
"""What HR can say about a person (SCIM 2.0 and OIDC meanings); besides these only `custom.<name>`."""

CUSTOM: Final = "custom"
ALL_CUSTOM: Final = "custom.*"

JOINED: Final = "hirewire.person.joined"
CHANGED: Final = "hirewire.person.changed"
LEFT: Final = "hirewire.person.left"
RETURNED: Final = "hirewire.person.returned"
EVENT_TYPES: Final = (JOINED, CHANGED, LEFT, RETURNED)

ROW_WORDS: Final = ("subject", "time", "type", "sequence")
"""What a column of a file may say about its row, beside the attributes of the person."""

_CUSTOM_NAME = re.compile(r"custom\.[a-z][a-z0-9]*(_[a-z0-9]+)*")


def is_attribute(name: str) -> bool:
    """Whether `name` is one attribute: of the vocabulary, or `custom.<name>`."""
    return name in ATTRIBUTES or _CUSTOM_NAME.fullmatch(name) is not None


def overlaps(one: str, other: str) -> bool:
    """Whether two entries of an `attributes` list can name the same attribute."""
    if one == other:
        return True
    pair = {one, other}
    return ALL_CUSTOM in pair and all(entry.startswith("custom.") for entry in pair)


def _attribute(name: str) -> str:
    if not is_attribute(name):
        raise ValueError("is not an attribute" + did_you_mean(name, ATTRIBUTES))
    return name


def _authority(name: str) -> str:
    return name if name == ALL_CUSTOM else _attribute(name)


def _event_type(name: str) -> str:
    if name not in EVENT_TYPES:
        raise ValueError("is not a native event type" + did_you_mean(name, EVENT_TYPES))
    return name


def did_you_mean(wrong: str, known: tuple[str, ...]) -> str:
    """` (did you mean X?)`, or the whole list where nothing is near and the list is short."""
    near = get_close_matches(wrong, known, n=1, cutoff=0.7)
    if near:
        return f" (did you mean {near[0]}?)"
    return f" (known: {', '.join(known)})" if known else ""


def _row_word(name: str) -> str:
    return name if name in ROW_WORDS else _attribute(name)


RowWord = Annotated[str, AfterValidator(_row_word)]
Attribute = Annotated[str, AfterValidator(_attribute)]
Authority = Annotated[str, AfterValidator(_authority)]
EventType = Annotated[str, AfterValidator(_event_type)]
