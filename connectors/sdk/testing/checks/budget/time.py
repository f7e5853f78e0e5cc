"""How long a call lasts: every exchange ends, and nothing is waited for that somebody else should know of."""

from __future__ import annotations

import socket
import time
from typing import Final

from connectors.sdk.contract import Timeouts
from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect, patched
from connectors.sdk.testing.bench import SHORT, Bench
from connectors.sdk.testing.check import check
from connectors.sdk.testing.tap import Fault, reads
from connectors.sdk.testing.virtual import virtual_time, watched_method

TRIES: Final = 3
TOTAL_S: Final = 10.0
SPARE_S: Final = 1.0  # for a machine that is busy
DEADLINE_ONLY: Final = Timeouts(connect_s=1.0, read_s=5.0, deadline_s=0.4)


@check()
def silence_ends_with_the_read_timeout(bench: Bench) -> None:
    """Catches a connector without a time-out: it holds a slot of the target for ever."""
    _ends(bench, faults.hangs(effect=False), SHORT, SHORT.read_s, "a write without an answer")


@check()
def silence_ends_with_the_deadline(bench: Bench) -> None:
    """The deadline counts too, where it is the shorter. Catches a read time-out alone."""
    limit = DEADLINE_ONLY.deadline_s
    _ends(bench, faults.hangs(effect=False), DEADLINE_ONLY, limit, "a write without an answer")


@check()
def trickled_headers_end_with_the_deadline(bench: Bench) -> None:
    """Each byte is in time, the whole never ends. Catches a time-out that is one for each read."""
    outcome = _ends(bench, faults.trickled_head, SHORT, SHORT.deadline_s, "an answer with trickled headers")
    expect(outcome, OutcomeKind.AMBIGUOUS, "an answer with trickled headers")


@check()
def trickled_body_ends_with_the_deadline(bench: Bench) -> None:
    """The same for a body. Catches a deadline that is looked at before the body is read."""
    outcome = _ends(bench, faults.trickled_body, SHORT, SHORT.deadline_s, "an answer with a trickled body")
    expect(outcome, OutcomeKind.AMBIGUOUS, "an answer with a trickled body")


@check()
def lost_read_ends_in_ten_seconds(bench: Bench) -> None:
    """All tries and the waits between them. Catches a back-off that belongs to the account."""
    (remote_id,) = bench.seed()
    bench.misbehave(faults.resets(effect=False), reads)
    with virtual_time() as clock:
        bench.connector().fetch(remote_id)
    assert clock.elapsed <= TOTAL_S, (
        f"a lost read took {clock.elapsed:.1f} s, at most {TOTAL_S:.0f} are allowed"
    )


@check()
def unreachable_write_ends_in_ten_seconds(bench: Bench) -> None:
    """A write that never left may be tried again, three times in 10 s. Catches one that insists."""
    (remote_id,) = bench.seed()
    tries: list[None] = []
    with virtual_time() as clock, watched_method(socket.socket, "connect", lambda: tries.append(None)):
        bench.connector(base_url=bench.tap.refusing).patch(remote_id, bench.change())
    assert clock.elapsed <= TOTAL_S, f"an unreachable target took {clock.elapsed:.1f} s of a worker's thread"
    assert len(tries) <= TRIES, (
        f"an unreachable target was tried {len(tries)} times, at most {TRIES} are allowed"
    )


@check()
def retry_after_is_not_waited_for(bench: Bench) -> None:
    """The engine closes a gate for all; a connector that sleeps holds one thread and tells nobody."""
    with virtual_time() as clock:
        patched(bench, faults.says(429, {}, {"Retry-After": "30"}))
    assert clock.slept < SPARE_S, f"the connector slept {clock.slept:.0f} s because a server asked for 30"


@check()
def retry_after_is_not_waited_for_by_a_read(bench: Bench) -> None:
    """The same for a read. Catches a session-wide policy of an HTTP library."""
    (remote_id,) = bench.seed()
    bench.misbehave(faults.says(503, {}, {"Retry-After": "30"}), reads)
    with virtual_time() as clock:
        bench.connector().fetch(remote_id)
    assert clock.slept < SPARE_S, f"the connector slept {clock.slept:.0f} s because a server asked for 30"


def _ends(bench: Bench, fault: Fault, timeouts: Timeouts, limit_s: float, what: str) -> Outcome:
    bench.seed()
    started = time.monotonic()
    outcome = patched(bench, fault, timeouts=timeouts)
    took = time.monotonic() - started
    assert took <= limit_s + SPARE_S, f"{what} ended after {took:.1f} s; it must end after {limit_s} s"
    return outcome
