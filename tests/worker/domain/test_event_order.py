"""Order keys sort as text exactly as the source's own order sorts its events."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.worker.domain.builders import Source, body, read
from worker.domain.event import parse_time

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
OFFSETS = {"Z": 0, "z": 0, "+00:00": 0, "-00:00": 0, "+05:45": 345, "-11:30": -690, "+14:00": 840}  # minutes
ANY_YEAR = st.integers(-30_610_137_600, 253_402_000_000)  # 1000 to 9999
SAME_HOUR = st.integers(1_769_846_400, 1_769_846_403)
FRACTIONS = st.from_regex(r"\A[0-9]{0,9}\Z")
STAMPS = st.tuples(ANY_YEAR | SAME_HOUR, FRACTIONS, st.sampled_from(sorted(OFFSETS)))
Stamp = tuple[int, str, str]


def text(stamp: Stamp) -> str:
    """What the sender's wall clock shows, with its zone."""
    clock, fraction, zone = stamp
    face = (EPOCH + dt.timedelta(seconds=clock)).replace(tzinfo=None).isoformat()
    return f"{face}{'.' + fraction if fraction else ''}{zone}"


def exact(stamp: Stamp) -> Fraction:
    """Seconds since the epoch, without rounding."""
    clock, fraction, zone = stamp
    return Fraction(clock - 60 * OFFSETS[zone]) + Fraction(f"0.{fraction or 0}")


def order(kind: str, **envelope: str) -> str:
    return read(body(**envelope), Source(order=kind)).order


@given(STAMPS, STAMPS)
def test_time_sorts_by_the_moment_whatever_the_zone_and_the_fraction(one: Stamp, other: Stamp) -> None:
    keys = order("time", time=text(one)), order("time", time=text(other))
    assert (keys[0] < keys[1]) == (exact(one) < exact(other))
    assert (keys[0] == keys[1]) == (exact(one) == exact(other))


def test_the_same_moment_in_two_zones_is_a_tie() -> None:
    assert order("time", time="2026-01-31T09:30:00.5Z") == order("time", time="2026-01-31T15:15:00.50+05:45")


def test_nanoseconds_decide() -> None:
    earlier = order("time", time="2026-01-31T09:30:00.000000001Z")
    assert earlier < order("time", time="2026-01-31T09:30:00.000000002Z")
    assert order("time", time="2026-01-31T09:30:00Z") < earlier


def test_years_before_1000_sort_before_the_others() -> None:
    assert order("time", time="0999-12-31T00:00:00Z") < order("time", time="1000-01-01T00:00:00Z")


@given(st.integers(0, 10**38 - 1), st.integers(0, 10**38 - 1))
def test_integers_sort_as_numbers_and_not_as_text(one: int, other: int) -> None:
    keys = order("integer", sequence=str(one)), order("integer", sequence=str(other))
    assert (keys[0] < keys[1]) == (one < other)


def test_nine_comes_before_ten() -> None:
    assert order("integer", sequence="9") < order("integer", sequence="10")
    assert order("lexical", sequence="10") < order("lexical", sequence="9")


def test_leading_zeros_make_no_difference() -> None:
    assert order("integer", sequence="007") == order("integer", sequence="7")
    assert order("integer", sequence="000") < order("integer", sequence="1")


@given(
    st.text("0123456789abcXYZ-", min_size=1, max_size=9), st.text("0123456789abcXYZ-", min_size=1, max_size=9)
)
def test_lexical_sequences_sort_as_they_stand(one: str, other: str) -> None:
    keys = order("lexical", sequence=one), order("lexical", sequence=other)
    assert (keys[0] < keys[1]) == (one < other)


def test_a_time_is_seconds_since_the_epoch() -> None:
    assert parse_time("1970-01-01T00:00:01.25Z") == 1.25
    assert parse_time("1969-12-31T23:59:59Z") == -1.0
    assert parse_time("1970-01-01T01:00:00+01:00") == 0.0
