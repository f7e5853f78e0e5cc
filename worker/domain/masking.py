"""How much of a value the audit shows. Pure.

A masked value is told apart only from null: no digest of it is kept, since a phone number can be
guessed from one. A long value keeps its beginning and a digest of the whole, so that two long
values are still told apart.
"""

from __future__ import annotations

from connectors.sdk.model import Json
from worker.domain.strict_json import canonical, digest

MASKED = "(masked)"
LONGEST = 500  # characters of canonical JSON that are shown whole
_BEGINNING = 100


def masked(value: Json) -> Json:
    """Null, or that there is a value."""
    return None if value is None else MASKED


def shortened(value: Json) -> Json:
    """The value itself; of a long one its beginning, length and digest, as text."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = value if isinstance(value, str) else canonical(value)
    if len(text) <= LONGEST:
        return value
    return f"{text[:_BEGINNING]}… ({len(text)} characters, sha256 {digest(value)})"
