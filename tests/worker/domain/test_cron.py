"""The newest slot of a schedule: in its time zone, through changes of the clock, spread by name."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.cron import Slots, spread

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def newest(expression: str, now: str, offset_s: float = 0.0, zone: ZoneInfo = BERLIN) -> str | None:
    found = Slots(expression, zone, offset_s).newest(at(now))
    return None if found is None else dt.datetime.fromtimestamp(found, zone).isoformat()


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-01-02T02:29:59+01:00", "2026-01-01T02:30:00+01:00"),
        ("2026-01-02T02:30:00+01:00", "2026-01-02T02:30:00+01:00"),
        ("2026-01-02T02:30:00.500+01:00", "2026-01-02T02:30:00+01:00"),
        ("2026-07-02T00:30:00Z", "2026-07-02T02:30:00+02:00"),
    ],
)
def test_a_slot_is_meant_in_its_time_zone(now: str, slot: str) -> None:
    assert newest("30 2 * * *", now) == slot


def test_when_the_clock_is_put_forward_the_day_has_its_slot() -> None:
    found = Slots("30 2 * * *", BERLIN, 0.0).newest(at("2026-03-29T12:00:00+02:00"))
    assert found is not None
    assert found >= at("2026-03-29T01:00:00+01:00")


def test_when_the_clock_is_put_back_nothing_comes_twice() -> None:
    slots = Slots("30 2 * * *", BERLIN, 0.0)
    hours = [at("2026-10-25T00:00:00Z") + 600 * n for n in range(30)]
    assert len({slots.newest(now) for now in hours}) == 2  # the day before, and this one


def test_the_jitter_is_added_to_the_slot_and_does_not_change_it() -> None:
    assert newest("0 2 * * *", "2026-01-02T02:04:59+01:00", 300) == "2026-01-01T02:00:00+01:00"
    assert newest("0 2 * * *", "2026-01-02T02:05:00+01:00", 300) == "2026-01-02T02:00:00+01:00"


@given(st.text(max_size=40), st.floats(min_value=0, max_value=86_400))
def test_a_name_has_its_own_place_in_the_jitter(name: str, jitter_s: float) -> None:
    assert 0 <= spread(name, jitter_s) <= jitter_s
    assert spread(name, jitter_s) == spread(name, jitter_s)


def test_targets_do_not_begin_together() -> None:
    assert len({round(spread(f"crm_{n}", 300)) for n in range(50)}) > 35
