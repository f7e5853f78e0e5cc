"""The watch over gaps in `sequence`: an alarm once one has stayed open for a while."""

from __future__ import annotations

from worker.engine import gaps
from worker.engine.ports import Transaction


def watch(tx: Transaction, alarm_s: float, kept_s: float) -> None:
    """Messages overtake each other: a young gap is none yet. A very old one is not waited for any more."""
    for gap in tx.sequences.give_up(tx.now - kept_s):
        tx.audit(gaps.given_up(gap))
    open_ = tx.sequences.older(tx.now - alarm_s)
    if open_:
        tx.targets.raise_alarm(gaps.GAP_ALARM, None, gaps.told(open_), tx.now)
    else:
        tx.targets.clear_alarm(gaps.GAP_ALARM, None, tx.now)
