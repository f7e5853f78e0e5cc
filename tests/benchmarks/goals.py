"""The goals of docs and issue, judged by what the runs measured. A scenario that did not run is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

from tests.benchmarks import accepting, coalescing, growth, latency, neighbours, reconciling, startup
from tests.benchmarks.measures import Goal, Run, Spread, ratios, series
from tests.benchmarks.patches import AT_ONCE, SLOW

_OURS = "hirewire"


def judged(runs: Sequence[Run]) -> list[Goal]:
    ran = {run.scenario for run in runs}
    judges: dict[str, Callable[[Sequence[Run]], Iterator[Goal]]] = {
        AT_ONCE: _at_once,
        SLOW: _slow,
        latency.SCENARIO: _latency,
        coalescing.SCENARIO: _coalescing,
        accepting.SCENARIO: _accepting,
        startup.SCENARIO: _startup,
        growth.SCENARIO: _growth,
        reconciling.SCENARIO: _reconcile,
        growth.QUERIES: _queries,
        neighbours.SCENARIO: partial(_neighbours, neighbours.SCENARIO),
        neighbours.FOUR: partial(_neighbours, neighbours.FOUR),
        neighbours.RATED: _rated,
    }
    return [goal for scenario, judge in judges.items() if scenario in ran for goal in judge(runs)]


def _at_once(runs: Sequence[Run]) -> Iterator[Goal]:
    ours = series(runs, AT_ONCE, _OURS, "per_s")
    naive = series(runs, AT_ONCE, "naive-2", "per_s")
    many = series(runs, AT_ONCE, "naive-16", "per_s")
    best = [max(pair) for pair in zip(naive, many, strict=True)]
    yield Goal.at_least("PATCHes at 0 ms, by the naive worker", 5, Spread.of(ratios(ours, best)), defect=3)
    alone = series(runs, AT_ONCE, "raw-2x1", "per_s")
    found = Spread.of(ratios(ours, alone))
    yield Goal.at_least("PATCHes at 0 ms, by requests alone", 0.9, found, defect=0.4)
    cost = series(runs, AT_ONCE, _OURS, "cpu_ms_each")
    theirs = series(runs, AT_ONCE, "naive-2", "cpu_ms_each")
    name = "processor time of an event, by the naive worker"
    yield Goal.at_most(name, 0.25, Spread.of(ratios(cost, theirs)))


def _slow(runs: Sequence[Run]) -> Iterator[Goal]:
    ours, naive = (series(runs, SLOW, who, "per_s") for who in (_OURS, "naive-16"))
    name = "PATCHes at 20 ms, by the naive worker with 16 processes"
    yield Goal.at_least(name, 7, Spread.of(ratios(ours, naive)), defect=4)


def _latency(runs: Sequence[Run]) -> Iterator[Goal]:
    naive, ours, half = (
        series(runs, latency.SCENARIO, who, "p99_ms")
        for who in (
            f"naive-2 at {latency.BOTH_AT}/s",
            f"{_OURS} at {latency.BOTH_AT}/s",
            f"{_OURS} at half",
        )
    )
    name = "event to acknowledged, p99, by the naive worker's at 50/s"
    yield Goal.at_most(f"{name}: at 50/s", 4, Spread.of(ratios(ours, naive)))
    yield Goal.at_most(f"{name}: at half of our capacity", 10, Spread.of(ratios(half, naive)))


def _coalescing(runs: Sequence[Run]) -> Iterator[Goal]:
    found = Spread.of(series(runs, coalescing.SCENARIO, "ten in one batch", "events_per_patch"))
    name, each = "PATCHes for ten events about a person in one batch", coalescing.EACH
    yield Goal(name, "1", f"{each / found.median:g}", found.median == each)


def _accepting(runs: Sequence[Run]) -> Iterator[Goal]:
    def speeds(door: str, how: str) -> list[float]:
        return series(runs, accepting.SCENARIO, f"{door}, {how}", "per_s")

    for how, bound, defect in ((accepting.BATCHES, 20, 8), (accepting.SINGLY, 1, None)):
        naive = speeds(accepting.NAIVE, how)
        for door in (accepting.IN_PROCESS, accepting.HTTP):
            found = Spread.of(ratios(speeds(door, how), naive))
            yield Goal.at_least(f"accepted events, {door}, {how}, by delay()", bound, found, defect=defect)


def _startup(runs: Sequence[Run]) -> Iterator[Goal]:
    for who, bound in ((startup.HELP, 0.3), (startup.READY, 3)):
        found = Spread.of(series(runs, startup.SCENARIO, who, "seconds"))
        yield Goal.at_most(who, bound, found, "s")


def _growth(runs: Sequence[Run]) -> Iterator[Goal]:
    smallest, *larger = dict.fromkeys(run.who for run in runs if run.scenario == growth.SCENARIO)
    base = series(runs, growth.SCENARIO, smallest, "cpu_ms_each")
    for who in larger:
        cost = series(runs, growth.SCENARIO, who, "cpu_ms_each")
        yield Goal.at_most(f"cost of an event, {who} by {smallest}", 1.5, Spread.of(ratios(cost, base)))


def _queries(runs: Sequence[Run]) -> Iterator[Goal]:
    """A batch has at most 100 rows, so who looks at many more has no index, or counts what others could."""
    asked = [run for run in runs if run.scenario == growth.QUERIES]
    greedy = [run.who for run in asked if run.figures["rows_looked_at"] > growth.MANY_ROWS]
    name = f"hot queries with a step that looks at more than {growth.MANY_ROWS:,} rows"
    yield Goal(name, "0", ", ".join([f"{len(greedy)} of {len(asked)}", *greedy]), not greedy)


def _reconcile(runs: Sequence[Run]) -> Iterator[Goal]:
    sizes = [run.who for run in runs if run.scenario == reconciling.SCENARIO]
    largest = sizes[-1]
    peak = Spread.of(series(runs, reconciling.SCENARIO, largest, "peak_mb"))
    yield Goal.at_most(f"reconciling {largest}: the largest process", 300, peak, "MB")
    for smaller, larger in pairwise(sizes):
        speeds = (series(runs, reconciling.SCENARIO, who, "accounts_per_s") for who in (smaller, larger))
        name = f"reconciling an account: time, {larger} by {smaller}"
        yield Goal.at_most(name, 1.5, Spread.of(ratios(*speeds)))


def _neighbours(scenario: str, runs: Sequence[Run]) -> Iterator[Goal]:
    def compared(figure: str) -> Spread:
        beside, alone = (series(runs, scenario, who, figure) for who in (neighbours.BESIDE, neighbours.ALONE))
        return Spread.of(ratios(beside, alone))

    name = f"{scenario}, by the fast alone"
    yield Goal.at_least(f"{name}: PATCHes", 0.9, compared("through_per_s"))
    yield Goal.at_most(f"{name}: p99", 1.1, compared("p99_ms"))


def _rated(runs: Sequence[Run]) -> Iterator[Goal]:
    allowed = neighbours.RATE_PER_S * neighbours.WINDOW_S
    most, least = (
        Spread.of(series(runs, neighbours.RATED, neighbours.RATE, f"{which}_in_10_s"))
        for which in ("most", "least")
    )
    name = f"requests in any 10 s at a rate of {neighbours.RATE}"
    yield Goal.at_most(f"{name}: most", allowed + neighbours.IN_FLIGHT, most, "")
    yield Goal.at_least(f"{name}: least", 0.9 * allowed, least, "")
