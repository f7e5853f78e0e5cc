"""Accounts: holds keep their first time, transitions give new values."""

from __future__ import annotations

from dataclasses import replace

from tests.worker.domain.builders import LINKED, NOW, RECORD, holding
from worker.domain.account import Hold, Reason
from worker.domain.strict_json import digest

BAD = Hold(Reason.REJECTED, "no", digest("x"), NOW)


def test_a_hold_for_the_same_value_keeps_its_first_time_and_takes_the_newest_words() -> None:
    again = LINKED.hold({"email": BAD}).hold({"email": replace(BAD, message="still no", since=NOW + 9)})
    assert again.held["email"] == replace(BAD, message="still no")


def test_a_hold_for_another_value_or_reason_starts_anew() -> None:
    held = LINKED.hold({"email": BAD})
    for other in (
        replace(BAD, value_hash=digest("y"), since=NOW + 9),
        replace(BAD, reason=Reason.FAULT, since=NOW + 9),
    ):
        assert held.hold({"email": other}).held["email"] == other


def test_a_release_touches_only_what_it_names() -> None:
    held = holding(LINKED, email="x", first_name="y")
    assert set(held.release(["email", "unheard_of"]).held) == {"first_name"}
    assert held.release(["unheard_of"]) is held
    assert LINKED.hold({}) is LINKED


def test_a_field_is_held_for_one_value_only() -> None:
    held = holding(LINKED, email="x")
    assert held.is_held("email", digest("x"))
    assert not held.is_held("email", digest("y"))
    assert not held.is_held("first_name", digest("x"))


def test_that_an_account_can_be_read_does_not_shorten_the_next_back_off() -> None:
    seen = replace(LINKED, level=4, must_read=True).saw(RECORD, NOW + 1)
    assert (seen.level, seen.must_read, seen.observed_at) == (4, False, NOW + 1)
    assert seen.at_rest().level == 0
