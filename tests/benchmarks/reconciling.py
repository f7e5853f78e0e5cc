"""A reconciliation of more and more accounts: time, speed, the largest process (see `reconcile`)."""

from __future__ import annotations

from tests.benchmarks import reconcile
from tests.benchmarks.stage import Stage

SCENARIO = "reconcile"
_FIGURES = ("seconds", "accounts_per_s", "peak_mb", "idle_mb")


def play(stage: Stage) -> None:
    """All sizes but the last, which is for what costs less."""
    for size in stage.sizes[:-1]:
        told = reconcile.played(size, stage.database())
        stage.note(SCENARIO, f"{size:,} accounts", 1, {name: float(told[name]) for name in _FIGURES})
