"""The freshness alarm: work that may be done waits for longer than it should. The relay looks.

Paused and gated targets raise none: nothing may be sent to them, and why is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from worker.engine.ports import Transaction

STALE_ALARM = "stale"


def watch(tx: Transaction, targets: Mapping[int, str], limit_s: float) -> None:
    """`targets` are names by row. Writes only where an alarm begins or ends."""
    late = tx.targets.overdue(sorted(targets), tx.now - limit_s, tx.now)
    known = tx.targets.open_alarms(STALE_ALARM)
    for target_id in sorted(late - known):
        message = (
            f"{targets[target_id]} has accounts that could be worked on and are due for over {limit_s:g} s"
        )
        tx.targets.raise_alarm(STALE_ALARM, target_id, message, tx.now)
    for target_id in sorted(known - late):
        tx.targets.clear_alarm(STALE_ALARM, target_id, tx.now)
