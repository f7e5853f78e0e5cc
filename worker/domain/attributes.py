"""The closed vocabulary of attributes: what HR may assert about a person, and in which shape.

Meanings follow SCIM 2.0 (RFC 7643 section 4.1) and OpenID Connect; `custom.<name>` takes any JSON.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from connectors.sdk.model import Json
from worker.domain.calendar_text import DATE_PATTERN, whole

CUSTOM_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
CUSTOM = re.compile(rf"custom\.{CUSTOM_NAME}")
CUSTOM_ANY = "custom.*"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value has to be, said twice: `problem` in words for a refusal, `schema` for programs."""

    problem: Callable[[Json], str | None]
    schema: Mapping[str, Json]


def _text(value: Json) -> str | None:
    return None if isinstance(value, str) else "must be a string"


def _boolean(value: Json) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _names(value: Json) -> str | None:
    if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
        return None
    return "must be a list of non-empty strings"


def _date(value: Json) -> str | None:
    try:
        date = dt.date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        date = None
    # Python also reads 20260131 and 2026-W05-6
    return None if date is not None and date.isoformat() == value else "must be a date like 2026-01-31"


_TEXT = Shape(_text, {"type": ["string", "null"]})
_BOOLEAN = Shape(_boolean, {"type": ["boolean", "null"]})
_NAMES = Shape(_names, {"type": ["array", "null"], "items": {"type": "string", "minLength": 1}})
_DATE = Shape(_date, {"type": ["string", "null"], "format": "date", "pattern": whole(DATE_PATTERN)})

_SHAPES: dict[str, Shape] = {
    "user_name": _TEXT,
    "given_name": _TEXT,
    "family_name": _TEXT,
    "display_name": _TEXT,
    "email": _TEXT,
    "phone_number": _TEXT,
    "active": _BOOLEAN,
    "gender": _TEXT,
    "picture": _TEXT,
    "groups": _NAMES,
    "title": _TEXT,
    "department": _TEXT,
    "employee_number": _TEXT,
    "manager": _TEXT,
    "user_type": _TEXT,
    "locale": _TEXT,
    "zoneinfo": _TEXT,
    "start_date": _DATE,
    "end_date": _DATE,
}
VOCABULARY = frozenset(_SHAPES)


def known(name: str) -> bool:
    return name in VOCABULARY or CUSTOM.fullmatch(name) is not None


def problem(name: str, value: Json) -> str | None:
    """What is wrong with this assertion, in words that follow the attribute's name; None if nothing.

    Null is always allowed: it clears the attribute.
    """
    if not known(name):
        close = get_close_matches(name, VOCABULARY, n=1)
        return "is not an attribute" + (f", did you mean {close[0]!r}?" if close else "")
    if value is None or name not in _SHAPES:
        return None
    return _SHAPES[name].problem(value)


def schema(name: str) -> dict[str, Json]:
    """The JSON Schema of the values that `problem` takes for a known attribute; null among them."""
    return dict(_SHAPES[name].schema) if name in _SHAPES else {}


def covers(authority: Iterable[str], name: str) -> bool:
    """Whether a source with this authority may assert the attribute."""
    names = set(authority)
    return name in names or (name.startswith("custom.") and CUSTOM_ANY in names)
