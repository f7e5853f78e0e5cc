"""One call under one fault, as many checks make it."""

from __future__ import annotations

from connectors.sdk.contract import Timeouts
from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.testing.bench import PATIENT, Bench
from connectors.sdk.testing.tap import Fault, reads, writes


def patched(bench: Bench, fault: Fault, *, count: int = 1, timeouts: Timeouts = PATIENT) -> Outcome:
    """What comes of a change of `count` text fields whose write is spoilt. Reads are not."""
    (remote_id,) = bench.seed()
    bench.misbehave(fault, writes)
    return bench.connector(timeouts).patch(remote_id, bench.change(count))


def fetched(bench: Bench, fault: Fault, *, timeouts: Timeouts = PATIENT) -> Outcome:
    """What comes of reading an account when every read is spoilt."""
    (remote_id,) = bench.seed()
    bench.misbehave(fault, reads)
    return bench.connector(timeouts).fetch(remote_id)


def expect(outcome: Outcome, kind: OutcomeKind, what: str) -> None:
    """Raises `AssertionError` with what happened, what it was taken for and what it is."""
    if outcome.kind is not kind:
        said = f" ({outcome.detail})" if outcome.detail else ""
        raise AssertionError(f"{what} was taken as {outcome.kind.name}{said}; it is {kind.name}")
