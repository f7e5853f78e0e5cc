"""How often a server is asked: the cost of each call, and what is asked for twice."""

from __future__ import annotations

from typing import Final

from connectors.sdk.model import OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import patched
from connectors.sdk.testing.bench import SHORT, Bench
from connectors.sdk.testing.check import check, many_accounts
from connectors.sdk.testing.tap import reads, writes
from connectors.sdk.testing.virtual import virtual_time

TRIES: Final = 3
SEARCH_READS: Final = 6  # among a handful of accounts, the rights to see them asked for once
BEFORE_A_WRITE: Final = 2  # reads: what is merged into, and the names in it


@check()
def read_is_one_request(bench: Bench) -> None:
    """Catches a connector that asks who it is before each read."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    for _ in range(2):
        connector.fetch(remote_id)  # the first ones may have to learn something
    asked = len(bench.requests())
    connector.fetch(remote_id)
    more = [request.target for request in bench.requests()[asked:]]
    assert len(more) == 1, f"reading one account takes one request, it took {more}"


@check()
def change_is_one_write(bench: Bench) -> None:
    """Catches a connector that writes each field by itself."""
    (remote_id,) = bench.seed()
    bench.connector().patch(remote_id, bench.change(2))
    written = [f"{request.method} {request.target}" for request in bench.writes()]
    assert len(written) == 1, f"a change of one account is one write, there were {len(written)}: {written}"


@check()
def change_reads_little(bench: Bench) -> None:
    """Catches a connector that reads the account back, which is the engine's to decide."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.fetch(remote_id)
    asked = len(bench.requests())
    connector.patch(remote_id, bench.change())
    read = [request.target for request in bench.requests()[asked:] if not request.is_write]
    assert len(read) <= BEFORE_A_WRITE, f"a change may read {BEFORE_A_WRITE} times, it read {read}"


@check()
def nothing_is_read_after_a_write(bench: Bench) -> None:
    """Whether to look again is the engine's to decide, after `late_effect`. Catches a look at once."""
    (remote_id,) = bench.seed()
    bench.misbehave(faults.says(500, {}), writes)
    bench.connector().patch(remote_id, bench.change())
    methods = [request.method for request in bench.requests()]
    after = methods[_first_write(bench) + 1 :]
    assert not after, f"after a write that may have been applied the connector sent {after}"


@check(needs=many_accounts)
def search_is_cheap(bench: Bench) -> None:
    """Catches a search that reads every account by itself."""
    bench.seed(4)
    bench.connector().find(bench.wanted(2))
    asked = [request.target for request in bench.requests()]
    assert len(asked) <= SEARCH_READS, f"finding one of four took {len(asked)} requests: {asked}"


@check()
def lost_read_is_repeated(bench: Bench) -> None:
    """A read that brought nothing is safe to repeat. Catches a failure for one lost packet."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.fetch(remote_id)
    bench.misbehave(faults.resets(effect=False), reads, times=1)
    with virtual_time():
        outcome = connector.fetch(remote_id)
    assert outcome.kind is OutcomeKind.OBSERVED, f"one lost read of two made the outcome {outcome.kind.name}"


@check()
def lost_read_is_repeated_twice_at_most(bench: Bench) -> None:
    """Three tries in all. Catches a storm on a server that is going down."""
    (remote_id,) = bench.seed()
    bench.misbehave(faults.resets(effect=False), reads)
    with virtual_time():
        bench.connector().fetch(remote_id)
    assert len(bench.reads()) <= TRIES, (
        f"a read was sent {len(bench.reads())} times, at most {TRIES} are allowed"
    )


@check()
def answered_read_is_not_repeated(bench: Bench) -> None:
    """Whatever the answer was, it is one. Catches a 500 that is asked for again."""
    (remote_id,) = bench.seed()
    bench.misbehave(faults.says(500, {}), reads)
    with virtual_time():
        bench.connector().fetch(remote_id)
    count = len(bench.reads())
    assert count == 1, f"a read that was answered with 500 was sent {count} times"


@check()
def silent_write_is_not_repeated(bench: Bench) -> None:
    """Catches the classic: a time-out, and the write again."""
    with virtual_time():
        patched(bench, faults.hangs(effect=False), timeouts=SHORT)
    _was_written_once(bench, "a write without an answer")


@check()
def reset_write_is_not_repeated(bench: Bench) -> None:
    """Catches retries of connection errors, also those of an HTTP library for stale connections."""
    with virtual_time():
        patched(bench, faults.resets(effect=False))
    _was_written_once(bench, "a write whose connection was reset")


@check()
def cut_write_is_not_repeated(bench: Bench) -> None:
    """Catches retries where the answer's body could not be read."""
    with virtual_time():
        patched(bench, faults.cut_body)
    _was_written_once(bench, "a write whose answer was cut")


@check()
def failed_write_is_not_repeated(bench: Bench) -> None:
    """Catches retries by status: 500, 502, 504."""
    for status in (500, 502, 504):
        bench.tap.calm()
        with virtual_time():
            patched(bench, faults.says(status, {}))
        _was_written_once(bench, f"a write that was answered with {status}")


@check()
def throttled_write_is_not_repeated(bench: Bench) -> None:
    """Waiting is the engine's, for all workers at once. Catches retries after 429 and 503."""
    for status in (429, 503):
        bench.tap.calm()
        with virtual_time():
            patched(bench, faults.says(status, {}, {"Retry-After": "1"}))
        _was_written_once(bench, f"a write that was answered with {status}")


@check()
def refused_write_is_not_repeated(bench: Bench) -> None:
    """Catches a second try without the refused field, or with another spelling: the engine's to decide."""
    (name,) = bench.change()
    with virtual_time():
        patched(bench, faults.says(400, bench.server.refusal({name: "Not like this."})))
    _was_written_once(bench, "a write that was refused")


def _was_written_once(bench: Bench, what: str) -> None:
    count = len(bench.writes())
    assert count == 1, f"{what} must not be sent again; it was sent {count} times"


def _first_write(bench: Bench) -> int:
    return next(number for number, request in enumerate(bench.requests()) if request.is_write)
