"""What a PATCH costs among more and more linked accounts, and what the database does for it.

As many PATCHes each time, about one person after the other; all sizes stand ready and take turns. Then the
plan of each hot query is asked for where most accounts are, with nobody else at work.
"""

from __future__ import annotations

import json
from contextlib import ExitStack

from tests.benchmarks.patches import burst
from tests.benchmarks.processes import Program
from tests.benchmarks.sides import Hirewire
from tests.benchmarks.stage import Stage

SCENARIO, QUERIES = "growth", "hot queries"
MANY_ROWS = 1_000
_EVENTS = 600  # among the smallest size nobody twice
_WARM = 200


def who(size: int) -> str:
    return f"{size:,} accounts"


def play(stage: Stage) -> None:
    places = {size: Hirewire(stage, size) for size in stage.sizes}
    with ExitStack() as opened:
        for hirewire in places.values():
            opened.enter_context(hirewire)
            burst(stage, hirewire, _WARM)
        for number in range(1, stage.rounds + 1):
            for size, hirewire in places.items():
                stage.note(SCENARIO, who(size), number, burst(stage, hirewire, _EVENTS))
    _explain(stage, places[max(stage.sizes)])


def explained(stage: Stage) -> None:
    """The plans alone."""
    _explain(stage, Hirewire(stage, max(stage.sizes)))


def _explain(stage: Stage, hirewire: Hirewire) -> None:
    log = hirewire.folder / "explaining.log"
    with Program("tests.benchmarks.explaining", str(hirewire.config), log=log) as program:
        plans = json.loads(program.line())
    for plan in plans:
        stage.keep(QUERIES, plan["query"], plan["figures"], (plan["statement"], *plan["plan"]))
