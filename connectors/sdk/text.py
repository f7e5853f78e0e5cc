"""Texts as databases, JSON and people can take them. Pure, never raises.

A NUL or a lone surrogate can be written in JSON but not in PostgreSQL, UTF-8 or canonical JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import re

from connectors.sdk.model import Json

MESSAGE_LIMIT = 300
QUOTE_LIMIT = 60
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EXACT = 2**53


def is_storable(text: str) -> bool:
    return (text.isascii() and "\x00" not in text) or _UNSTORABLE.search(text) is None


def storable(value: Json) -> Json:
    """The value with U+FFFD for what cannot be stored, and text for integers JSON cannot hold."""
    match value:
        case str():
            return value if is_storable(value) else _UNSTORABLE.sub("\ufffd", value)
        case bool() | float() | None:
            return value
        case int():
            return value if abs(value) < _EXACT else str(value)
        case list():
            return [storable(item) for item in value]
        case dict():
            return {str(storable(key)): storable(item) for key, item in value.items()}


def instant(text: str) -> dt.datetime | None:
    """The moment an RFC 3339 date-time with offset names, to the microsecond; None if it is none."""
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    digits = (fraction or "0")[:6].ljust(6, "0")
    try:
        at = dt.datetime.fromisoformat(f"{day}T{clock}.{digits}{offset.upper()}")
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def utc_text(at: dt.datetime) -> str:
    """`2024-01-31T12:00:00Z`, with microseconds only where there are any."""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Printable, on one line, at most `limit` characters."""
    line = " ".join(str(storable(text)).split())
    line = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quoted(value: Json) -> str:
    """A value as a message may show it: at most 60 characters, in quotes where it is text."""
    if isinstance(value, str):
        return f"'{one_line(value, QUOTE_LIMIT)}'"
    return one_line(json.dumps(value, ensure_ascii=False), QUOTE_LIMIT)
