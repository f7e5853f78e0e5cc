"""What so many people at so many targets need, computed from what a run measured. Pure; docs/scaling.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks import footprint, patches, reconciling
from tests.benchmarks.measures import Run, Spread, series, short

PEOPLE, TARGETS = (10_000, 100_000, 1_000_000), (1, 4, 10)
EVENTS_A_DAY = 1.0  # of a person: a source that sends everybody each night
BUSY_S = 3_600.0  # in which all of them come
ANSWER_S = 0.2  # of a target
LOAD = 0.7  # of a core, at most
THREADS = 16  # of a shard
BESIDES = 2  # processes of a worker beside those of its shards
SPARE = 4  # connections of a process beside one for each shard
GIGABYTE = 1e9
COSTS = ("cost", "measured", "unit")
NEEDS = (
    "people",
    "targets",
    "events/s",
    "PATCHes/s",
    "cores of workers",
    "shards",
    "database connections",
    "cores of the database",
    "broker operations/s",
    "GB of accounts",
    "GB of events and audit a day",
    "first sync",
    "reconcile a target",
)


@dataclass(frozen=True, slots=True)
class Costs:
    """Medians of a run. Times in milliseconds of processor, at one target."""

    accept_ms: float
    work_ms: float
    database_ms: float
    reached_per_s: float
    broker_ops: float
    idle_broker_ops: float
    event_bytes: float
    account_bytes: float
    listed_per_s: float

    def rows(self) -> Iterator[list[str]]:
        yield ["accepting an event", short(self.accept_ms), "ms of processor"]
        yield ["the rest of its way to one target, in workers", short(self.work_ms), "ms of processor"]
        yield ["the database for it", short(self.database_ms), "ms of processor"]
        yield ["PATCHes of one worker with two shards", short(self.reached_per_s), "a second"]
        yield ["operations of the broker, events one by one", short(self.broker_ops), "an event"]
        yield ["operations of the broker at rest", short(self.idle_broker_ops), "a second"]
        yield ["event and audit on disk", short(self.event_bytes), "bytes"]
        yield ["account, identity and their names on disk", short(self.account_bytes), "bytes"]
        yield ["accounts listed and compared", short(self.listed_per_s), "a second"]


def measured(runs: Sequence[Run]) -> Costs | None:
    """None where a scenario that is needed did not run."""

    def median(scenario: str, who: str, figure: str) -> float:
        return Spread.of(series(runs, scenario, who, figure)).median

    ran = {run.scenario for run in runs}
    if not {patches.AT_ONCE, footprint.SCENARIO, reconciling.SCENARIO} <= ran:
        return None
    ours = {
        name: median(patches.AT_ONCE, "hirewire", name)
        for name in ("cpu_ms_feeder", "cpu_ms_worker", "cpu_ms_beat", "cpu_ms_database", "through_per_s")
    }
    largest = [run.who for run in runs if run.scenario == reconciling.SCENARIO][-1]
    return Costs(
        ours["cpu_ms_feeder"],
        ours["cpu_ms_worker"] + ours["cpu_ms_beat"],
        ours["cpu_ms_database"],
        ours["through_per_s"],
        median(footprint.SCENARIO, footprint.TRICKLE, "broker_commands_an_event"),
        median(footprint.SCENARIO, footprint.IDLE, "broker_commands_a_second"),
        median(footprint.SCENARIO, footprint.BUSY, "disk_bytes_an_event"),
        median(footprint.SCENARIO, footprint.BUSY, "disk_bytes_an_account"),
        median(reconciling.SCENARIO, largest, "accounts_per_s"),
    )


def needs(costs: Costs, people: int, targets: int) -> list[str]:
    """One row of the table; the formulae stand in docs/scaling.md."""
    events = people * EVENTS_A_DAY / BUSY_S
    sent = events * targets
    cores = (events * costs.accept_ms + sent * costs.work_ms) / 1000 / LOAD
    shards = max(1, math.ceil(max(cores, sent * ANSWER_S / THREADS)))
    workers = math.ceil(shards / 2)
    connections = workers * (2 + BESIDES) * (shards + SPARE)
    figures = [
        events,
        sent,
        cores,
        float(shards),
        float(connections),
        sent * costs.database_ms / 1000 / LOAD,
        workers * costs.idle_broker_ops + sent * costs.broker_ops,
        people * targets * costs.account_bytes / GIGABYTE,
        people * EVENTS_A_DAY * targets * costs.event_bytes / GIGABYTE,
    ]
    hours = people * targets / (workers * costs.reached_per_s) / 3600
    listing = people / costs.listed_per_s / 60
    return [f"{people:,}", str(targets), *map(short, figures), f"{short(hours)} h", f"{short(listing)} min"]


def table(costs: Costs) -> list[list[str]]:
    return [needs(costs, people, targets) for people in PEOPLE for targets in TARGETS]
