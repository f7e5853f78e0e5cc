"""When a schedule's slots are. Pure.

A slot is a moment that a cron expression names in its time zone. Where a clock is put forward, what is
between is not left out, and where it is put back nothing comes twice, as cron on Debian does it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cronsim import CronSim


@dataclass(frozen=True, slots=True)
class Slots:
    """Those of one target. `offset_s`: how much later its work begins than the slot says."""

    expression: str
    zone: ZoneInfo
    offset_s: float

    def newest(self, now: float) -> float | None:
        """The newest slot whose work has to have begun by now."""
        at = dt.datetime.fromtimestamp(now - self.offset_s, self.zone) + dt.timedelta(seconds=1)
        found = next(CronSim(self.expression, at, reverse=True), None)
        return None if found is None else found.timestamp()


def spread(name: str, jitter_s: float) -> float:
    """A part of the jitter, always the same for one name: targets do not begin together."""
    part = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    return part * jitter_s
