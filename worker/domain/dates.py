"""A person's first and last day: from when, and until when, somebody counts as there. Pure.

Days begin and end at midnight of one zone. When `end_date` is over the person counts as if HR had
said `active = false`; a later date or null ends that, nothing else does. Before `start_date` begins
no account is searched for or created; one that is linked already is left as it is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.identity import Identity

_START, _END = "start_date", "end_date"
_NAMES = (_START, _END)


@dataclass(frozen=True, slots=True)
class Dates:
    """`end_date`: leaver | ignore. `start_date`: wait | ignore."""

    zone: dt.tzinfo = dt.UTC
    end_date: str = "leaver"
    start_date: str = "wait"

    def values(self, identity: Identity, now: float) -> dict[str, Json]:
        """The attributes as they count now."""
        values = identity.values()
        return {**values, "active": False} if self.ended(identity, now) else values

    def gone(self, identity: Identity, now: float) -> bool:
        """Whether the person has left, by HR's word or by date."""
        return identity.leaver or self.ended(identity, now)

    def ended(self, identity: Identity, now: float) -> bool:
        over_at = self._over_at(identity)
        return over_at is not None and over_at <= now

    def waits(self, identity: Identity, now: float) -> bool:
        """Whether the first day is still to come."""
        begins_at = self._begins_at(identity)
        return begins_at is not None and begins_at > now

    def wake_at(self, identity: Identity, now: float) -> float | None:
        """The next moment at which a date changes what should be."""
        moments = (self._begins_at(identity), self._over_at(identity))
        return min((at for at in moments if at is not None and at > now), default=None)

    def passed(self, identity: Identity, now: float) -> tuple[str, ...]:
        """The attributes whose moment has come."""
        moments = {_START: self._begins_at(identity), _END: self._over_at(identity)}
        return tuple(name for name, at in moments.items() if at is not None and at <= now)

    def asserted_by(self, identity: Identity, now: float) -> dict[str, int]:
        """Attribute to the row of the event behind its value as it counts now."""
        events = {name: held.event for name, held in identity.attributes.items()}
        return {**events, "active": events[_END]} if self.ended(identity, now) else events

    def _begins_at(self, identity: Identity) -> float | None:
        day = _day(identity, _START) if self.start_date == "wait" else None
        return None if day is None else self._midnight(day)

    def _over_at(self, identity: Identity) -> float | None:
        """The midnight after the last day; the calendar's own last day never ends."""
        day = _day(identity, _END) if self.end_date == "leaver" else None
        return None if day in (None, dt.date.max) else self._midnight(day + dt.timedelta(days=1))

    def _midnight(self, day: dt.date) -> float:
        return dt.datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp()


def has_dates(identity: Identity) -> bool:
    return any(name in identity.attributes for name in _NAMES)


def woken(identity: Identity) -> Identity:
    """The identity once a date of it has come: a revision of its own, made by no event."""
    return replace(identity, revision=identity.revision + 1)


def _day(identity: Identity, name: str) -> dt.date | None:
    held = identity.attributes.get(name)
    return None if held is None or not isinstance(held.value, str) else dt.date.fromisoformat(held.value)
