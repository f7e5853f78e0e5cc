"""When our token ends, from a list of its owner's tokens: no list says which of them is ours. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from connectors.sdk.model import CheckReport
from connectors.sdk.text import instant, utc_text

NEVER: Final = "never"


def is_over(expires: object) -> bool:
    """Whether a token has expired: that one is not ours."""
    at = instant(expires) if isinstance(expires, str) else None
    return at is not None and at <= dt.datetime.now(dt.UTC)


def sole_expiry(ends: Iterable[object]) -> str | None:
    """The end of the only token that has not expired: UTC text, or `never` for None. Else nobody knows."""
    alive = [end for end in ends if not is_over(end)]
    if len(alive) != 1:
        return None
    at = instant(alive[0]) if isinstance(alive[0], str) else None
    return NEVER if alive[0] is None else utc_text(at.replace(microsecond=0)) if at is not None else None


def known_of(report: CheckReport) -> str:
    """What a check told of a token that was accepted, for the day when it no longer is."""
    whose = f"It is {report.owner}'s and was accepted before"
    match report.expires_at:
        case None:
            return f"{whose}: see whether it expired or was deleted, or {report.owner} was deactivated"
        case expires if expires == NEVER:
            return f"{whose}, and does not expire: see whether it was deleted, or {report.owner} deactivated"
        case expires:
            return f"{whose}; it was to expire at {expires}"
