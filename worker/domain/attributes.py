"""The closed vocabulary of attributes: what HR may assert about a person, and in which shape.

Meanings follow SCIM 2.0 (RFC 7643 section 4.1) and OpenID Connect; `custom.<name>` takes any JSON.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from connectors.sdk.model import Json

CUSTOM = re.compile(r"custom\.[A-Za-z_][A-Za-z0-9_]{0,63}")
CUSTOM_ANY = "custom.*"


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


_SHAPES: dict[str, Callable[[Json], str | None]] = {
    "user_name": _text,
    "given_name": _text,
    "family_name": _text,
    "display_name": _text,
    "email": _text,
    "phone_number": _text,
    "active": _boolean,
    "gender": _text,
    "picture": _text,
    "groups": _names,
    "title": _text,
    "department": _text,
    "employee_number": _text,
    "manager": _text,
    "user_type": _text,
    "locale": _text,
    "zoneinfo": _text,
    "start_date": _date,
    "end_date": _date,
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
    return _SHAPES[name](value)


def covers(authority: Iterable[str], name: str) -> bool:
    """Whether a source with this authority may assert the attribute."""
    names = set(authority)
    return name in names or (name.startswith("custom.") and CUSTOM_ANY in names)
