"""What docs/scaling.md computes from a run."""

from __future__ import annotations

from tests.benchmarks.measures import Run
from tests.benchmarks.scaling import COSTS, NEEDS, Costs, measured, needs, table

ROUND = Costs(
    accept_ms=1,
    work_ms=3,
    database_ms=0.7,
    reached_per_s=100,
    broker_ops=2,
    idle_broker_ops=10,
    event_bytes=4_000,
    account_bytes=2_000,
    listed_per_s=1_000,
)


def test_what_a_hundred_thousand_people_at_four_targets_need() -> None:
    found = dict(zip(NEEDS, needs(ROUND, 100_000, 4), strict=True))
    assert found == {
        "people": "100,000",
        "targets": "4",
        "events/s": "27.8",
        "PATCHes/s": "111",
        "cores of workers": "0.516",
        "shards": "2.00",
        "database connections": "24.0",
        "cores of the database": "0.111",
        "broker operations/s": "232",
        "GB of accounts": "0.800",
        "GB of events and audit a day": "1.60",
        "first sync": "1.11 h",
        "reconcile a target": "1.67 min",
    }


def test_the_tables_are_whole() -> None:
    assert {len(row) for row in table(ROUND)} == {len(NEEDS)}
    assert {len(row) for row in ROUND.rows()} == {len(COSTS)}


def test_nothing_is_computed_from_a_run_of_other_scenarios() -> None:
    assert measured([Run("patches at 0 ms", "hirewire", 1, {"cpu_ms_feeder": 1})]) is None
