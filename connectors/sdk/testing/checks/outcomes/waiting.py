"""Answers that ask us to wait: for how long is read, and never obeyed without a limit."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect, patched
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check

LONGEST_S = 6 * 3600.0
WAIT_S = 90


@check()
def throttled_for_seconds(bench: Bench) -> None:
    """429 with `Retry-After: 90` waits 90 s. Catches a wait that is made up."""
    outcome = _asked_to_wait(bench, 429, str(WAIT_S))
    wait = outcome.retry_after_s
    assert wait == WAIT_S, f"`Retry-After: {WAIT_S}` is {WAIT_S} s, `retry_after_s` is {wait}"


@check()
def throttled_until_a_date(bench: Bench) -> None:
    """A date counts from the server's own `Date` (RFC 9110, 10.2.3). Catches our clock against theirs."""
    now = dt.datetime(2031, 5, 17, 12, tzinfo=dt.UTC)  # a server whose clock is years off
    until = format_datetime(now + dt.timedelta(seconds=WAIT_S), usegmt=True)
    date = format_datetime(now, usegmt=True)
    outcome = patched(bench, faults.says(429, {}, {"Retry-After": until, "Date": date}))
    assert outcome.retry_after_s == WAIT_S, (
        f"the server says {until} and has {date}: {WAIT_S} s, `retry_after_s` is {outcome.retry_after_s}"
    )


@check()
def throttled_by_a_word(bench: Bench) -> None:
    """A `Retry-After` that nobody can read is THROTTLED without a time. Catches an exception."""
    outcome = _asked_to_wait(bench, 429, "soon")
    assert outcome.retry_after_s is None, f"`soon` is no time, `retry_after_s` is {outcome.retry_after_s}"


@check()
def throttled_for_ages(bench: Bench) -> None:
    """No wait is longer than 6 h. Catches a target that one header takes away for 31 years."""
    outcome = _asked_to_wait(bench, 429, "1000000000")
    assert outcome.retry_after_s is not None, "`Retry-After: 1000000000` is seconds, and at most 6 h of them"
    assert outcome.retry_after_s <= LONGEST_S, f"{outcome.retry_after_s:.0f} s is longer than 6 h"


@check()
def throttled_without_a_time(bench: Bench) -> None:
    """A bare 429 is THROTTLED. Catches a table in which a 429 without a header is a refused value."""
    outcome = patched(bench, faults.says(429, {"detail": "Slow down."}))
    expect(outcome, OutcomeKind.THROTTLED, "a 429 without Retry-After")


@check()
def unavailable_for_a_time_is_throttled(bench: Bench) -> None:
    """503 with `Retry-After` is a server that knows what it says. Catches a 503 read for ever."""
    wait = _asked_to_wait(bench, 503, str(WAIT_S)).retry_after_s
    assert wait == WAIT_S, f"`Retry-After: {WAIT_S}` is {WAIT_S} s, `retry_after_s` is {wait}"


@check()
def unavailable_is_ambiguous(bench: Bench) -> None:
    """503 without it may come from behind the effect. Catches a 503 that counts as `not sent`."""
    expect(patched(bench, faults.says(503, {})), OutcomeKind.AMBIGUOUS, "a 503 without Retry-After")


def _asked_to_wait(bench: Bench, status: int, how_long: str) -> Outcome:
    outcome = patched(bench, faults.says(status, {"detail": "Slow down."}, {"Retry-After": how_long}))
    expect(outcome, OutcomeKind.THROTTLED, f"a {status} with `Retry-After: {how_long}`")
    return outcome
