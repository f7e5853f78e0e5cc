"""First and last days: midnight of a zone decides, a date that nobody can reach never does."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from tests.worker.domain.test_person import identity, view
from worker.domain.dates import Dates, has_dates, woken
from worker.domain.identity import Identity

UTC = Dates()
HOUR = 3600.0


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def dated(start: Json = None, end: Json = None, **more: Json) -> Identity:
    dates = {"start_date": start, "end_date": end}
    return identity({**{name: value for name, value in dates.items() if value}, **more})


def test_the_last_day_counts_whole() -> None:
    person = dated(end="2026-03-31", active=True)
    assert not UTC.gone(person, at("2026-03-31T23:59:59Z"))
    assert UTC.gone(person, at("2026-04-01T00:00:00Z"))
    assert UTC.values(person, at("2026-04-01T00:00:00Z"))["active"] is False


def test_the_first_day_counts_whole() -> None:
    person = dated(start="2026-03-31")
    assert UTC.waits(person, at("2026-03-30T23:59:59Z"))
    assert not UTC.waits(person, at("2026-03-31T00:00:00Z"))


def test_days_are_those_of_the_zone() -> None:
    person = dated(start="2026-07-01", end="2026-07-01")
    berlin, honolulu = Dates(ZoneInfo("Europe/Berlin")), Dates(ZoneInfo("Pacific/Honolulu"))
    assert berlin.wake_at(person, 0.0) == at("2026-06-30T22:00:00Z")
    assert honolulu.wake_at(person, at("2026-07-01T12:00:00Z")) == at("2026-07-02T10:00:00Z")


def test_the_next_moment_is_the_earliest_that_lies_ahead() -> None:
    person = dated(start="2026-03-01", end="2026-03-31")
    first, over = at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z")
    assert [UTC.wake_at(person, now) for now in (0.0, first, over)] == [first, over, None]


def test_what_is_told_to_be_ignored_wakes_nobody_and_ends_nothing() -> None:
    person = dated(start="2026-03-01", end="2026-03-31", active=True)
    ignoring = Dates(end_date="ignore", start_date="ignore")
    assert ignoring.wake_at(person, 0.0) is None
    assert not ignoring.gone(person, at("2027-01-01T00:00:00Z"))
    assert not ignoring.waits(person, 0.0)


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-30", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_too(day: str) -> None:
    person = dated(start=day, end=day)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
        dates = Dates(ZoneInfo(zone))
        assert dates.gone(person, at("2026-01-01T00:00:00Z")) is (day < "2000")
        dates.wake_at(person, 0.0)


def test_who_has_left_by_hr_s_word_has_left_whatever_the_date_says() -> None:
    assert UTC.gone(dated(end="9999-12-31", active=False), 0.0)


def test_a_cleared_date_is_none() -> None:
    person = identity({"end_date": "2026-01-31"}, {"end_date": None})
    assert not UTC.gone(person, at("2027-01-01T00:00:00Z"))
    assert UTC.wake_at(person, 0.0) is None
    assert has_dates(person)


def test_the_view_shows_who_has_ended_as_inactive_and_names_the_event_that_said_when() -> None:
    person = identity({"user_name": "mira", "active": True}, {"end_date": "2026-01-31"})
    before = view().of(person, at("2026-01-31T12:00:00Z"))
    after = view().of(person, at("2026-02-01T00:00:00Z"))
    assert (before.leaver, before.wanted["is_active"], before.origin["is_active"]) == (False, True, 1)
    assert (after.leaver, after.wanted["is_active"], after.origin["is_active"]) == (True, False, 2)


def test_waking_makes_a_revision_and_changes_nothing_else() -> None:
    person = dated(end="2026-01-31")
    assert (woken(person).revision, woken(person).attributes) == (person.revision + 1, person.attributes)


@given(
    start=st.dates(dt.date(2000, 1, 1), dt.date(2050, 1, 1)),
    end=st.dates(dt.date(2000, 1, 1), dt.date(2050, 1, 1)),
    now=st.floats(0, at("2060-01-01T00:00:00Z")),
    later=st.floats(1, 30 * 365 * 24 * HOUR),
)
def test_between_two_moments_nothing_changes(start: dt.date, end: dt.date, now: float, later: float) -> None:
    """Whoever is woken at each `wake_at` misses nothing."""
    person = dated(start=start.isoformat(), end=end.isoformat())
    next_at = UTC.wake_at(person, now)
    moment = now + later if next_at is None else min(now + later, next_at - 0.001)
    if moment > now:
        assert UTC.gone(person, now) is UTC.gone(person, moment)
        assert UTC.waits(person, now) is UTC.waits(person, moment)
