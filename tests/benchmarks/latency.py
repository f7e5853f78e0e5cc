"""From an event to its acknowledgement, at rates that are kept: p50, p95, p99 over all rounds.

Hirewire's is what its audit tells (`latency_s`), the naive worker's what its row tells; both end where the
outcome is written. The rates are 50 a second for both, and parts of what Hirewire can do: half of it in each
round, the other parts, of which nothing is promised, in the first.
"""

from __future__ import annotations

import time

from tests.benchmarks.measures import percentile, series
from tests.benchmarks.patches import AT_ONCE, burst, wait_for
from tests.benchmarks.rivals import Rivals
from tests.benchmarks.sides import Hirewire, Side
from tests.benchmarks.stage import Stage, latencies, newest

SCENARIO = "event to acknowledged"
BOTH_AT = 50
PARTS = {"a tenth": 0.1, "half": 0.5, "nine tenths": 0.9}
JUDGED = "half"
_PROBE = 500
_REST_S = 0.5


def play(stage: Stage, rivals: Rivals) -> None:
    hirewire, naive = rivals.hirewire(), rivals.naive()[0]
    capacity = _capacity(stage, hirewire)
    for number in range(1, stage.rounds + 1):
        for side in (hirewire, naive):
            _note(stage, side, f"{side.name} at {BOTH_AT}/s", BOTH_AT, number)
        for word, part in PARTS.items():
            if number == 1 or word == JUDGED:
                _note(stage, hirewire, f"{hirewire.name} at {word}", part * capacity, number)


def _capacity(stage: Stage, hirewire: Hirewire) -> float:
    """What it reached beside the others; where nobody looked, what a short burst says."""
    known = series(stage.runs, AT_ONCE, hirewire.name, "through_per_s")
    return percentile(sorted(known), 50) if known else burst(stage, hirewire, _PROBE)["through_per_s"]


def _note(stage: Stage, side: Side, who: str, rate: float, number: int) -> None:
    stage.note(SCENARIO, who, number, paced(stage, side, rate))


def paced(stage: Stage, side: Side, rate: float) -> dict[str, float]:
    time.sleep(_REST_S)  # what was before has been written down
    database, table = side.told_in
    mark, before = newest(database, table), stage.target.patched()
    told = side.feed(job="paced", rate=rate, seconds=stage.seconds)
    wait_for(stage, before + told["events"])
    time.sleep(_REST_S)
    took = latencies(database, table, mark)
    shares = {f"p{percent}_ms": 1000 * percentile(took, percent) for percent in (50, 95, 99)}
    sent = told["events"] / told["seconds"]
    return {"asked_per_s": rate, "sent_per_s": sent, **shares, "events": float(len(took))}
