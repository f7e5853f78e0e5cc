"""Changes of several accounts at the same time, through one connector."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, many_accounts
from connectors.sdk.testing.tap import Fault, Turn, writes

THREADS = 4
TOGETHER_S = 0.3  # how long answers wait for each other


@check(needs=many_accounts)
def values_are_kept_apart(bench: Bench) -> None:
    """Each account gets its own values. Catches a change that is kept in the connector until it is sent:
    people get each other's data.
    """
    for number, (remote_id, _) in enumerate(_changed_at_once(bench), start=1):
        ((name, value),) = bench.change(1, number).items()
        held = bench.stored(remote_id).get(name)
        assert held == value, (
            f"of {THREADS} changes at once, {remote_id} was to have {name} = {value}, not {held}"
        )


@check(needs=many_accounts)
def answers_are_kept_apart(bench: Bench) -> None:
    """Each answer is held against what was sent to its account. Catches what was sent last in its place."""
    for remote_id, outcome in _changed_at_once(bench):
        assert outcome.kind is OutcomeKind.APPLIED, (
            f"of {THREADS} changes at once, all of which the server took, that of {remote_id} was"
            f" {outcome.kind.name} ({outcome.detail})"
        )


def _changed_at_once(bench: Bench) -> list[tuple[str, Outcome]]:
    """All are sent before the first is answered."""
    ids = bench.seed(THREADS)
    connector = bench.connector()
    bench.misbehave(_answered_together(), writes)
    changes = [bench.change(1, number) for number in range(1, THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(zip(ids, pool.map(connector.patch, ids, changes), strict=True))


def _answered_together() -> Fault:
    all_sent = Barrier(THREADS)

    def fault(turn: Turn) -> None:
        answer = turn.forward()
        with contextlib.suppress(BrokenBarrierError):  # one after the other is slow and not wrong
            all_sent.wait(TOGETHER_S)
        turn.answer(answer)

    return fault
