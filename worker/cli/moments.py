"""Times as operators type them."""

from __future__ import annotations

import re

from connectors.sdk.text import instant
from worker.cli.failures import UsageError

_AGO = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def since(text: str, now: float) -> float:
    """`15m` before `now`, or the moment that an RFC 3339 time names. Raises UsageError."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now - int(ago[1]) * _SECONDS[ago[2]]
    named = instant(text)
    if named is None:
        raise UsageError(f"{text!r} is no time: say 30s, 15m, 2h, 7d or 2026-01-31T09:30:00Z")
    return named.timestamp()
