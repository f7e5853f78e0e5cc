"""Dates and times of day as text: patterns that hold exactly what the calendar has.

Read by Python and by ECMA-262 alike, so that what is refused here can be refused at the sender too.
"""

from __future__ import annotations

_YEAR = r"(?!0000)[0-9]{4}"
_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?!0000)(?:[02468][048]|[13579][26])00)"
_DAY = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)"
    r"|(?:0[13578]|1[02])-31)"
)
DATE_PATTERN = rf"(?:{_YEAR}-{_DAY}|{_LEAP}-02-29)"
CLOCK_PATTERN = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
END = r"$(?!\n)"
"""The end of a text and nothing less: Python's `$` also stands before a last line break."""


def whole(pattern: str) -> str:
    """The pattern of a text that matches from its first to its last character."""
    return f"^(?:{pattern}){END}"
