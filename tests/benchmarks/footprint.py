"""What an installation takes from its servers: connections, operations of the broker, transactions, disk.

These are the costs that docs/scaling.md multiplies. They are counted by the servers themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.benchmarks.latency import BOTH_AT, paced
from tests.benchmarks.patches import burst
from tests.benchmarks.processes import tree
from tests.benchmarks.rivals import PEOPLE, Rivals
from tests.benchmarks.sides import Hirewire
from tests.benchmarks.stage import Stage
from tests.benchmarks.startup import pss_mb

SCENARIO, BUSY, TRICKLE, IDLE = "footprint", "a burst", f"{BOTH_AT} events/s", "idle"
_WARM = 500
_EVENTS = 1_000
_IDLE_S = 5.0
_REST_S = 1.5
_SIZES = ("account", "identity", "identity_name", "unique_value")
_GROWING = ("event", "audit")


def play(stage: Stage, rivals: Rivals) -> None:
    hirewire = rivals.hirewire()
    burst(stage, hirewire, _WARM)
    sizes = _bytes(hirewire, _GROWING)
    figures = _each(hirewire, lambda: _events(burst(stage, hirewire, _EVENTS)))
    figures["disk_bytes_an_event"] = (_bytes(hirewire, _GROWING) - sizes) / _EVENTS
    figures["disk_bytes_an_account"] = _bytes(hirewire, _SIZES) / PEOPLE
    stage.note(SCENARIO, BUSY, 1, {**figures, **_held(hirewire)})
    trickle = _each(hirewire, lambda: _events(paced(stage, hirewire, BOTH_AT)))
    stage.note(SCENARIO, TRICKLE, 1, trickle)
    stage.note(SCENARIO, IDLE, 1, _idle(hirewire))


def _each(hirewire: Hirewire, play: Callable[[], float]) -> dict[str, float]:
    """What one of so many events took."""
    before = _counted(hirewire)
    events = play()
    after = _counted(hirewire)
    return {f"{name}_an_event": (after[name] - before[name]) / events for name in after}


def _events(figures: dict[str, float]) -> float:
    return figures["events"]


def _idle(hirewire: Hirewire) -> dict[str, float]:
    before = _counted(hirewire)
    time.sleep(_IDLE_S)
    after = _counted(hirewire)
    return {f"{name}_a_second": (after[name] - before[name]) / _IDLE_S for name in after}


def _counted(hirewire: Hirewire) -> dict[str, float]:
    with hirewire.broker_client() as client:
        told: Any = client.info("stats")
    time.sleep(_REST_S)  # PostgreSQL tells its counts a second late
    query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    return {
        "broker_commands": float(told["total_commands_processed"]),
        "transactions": _one(hirewire, query),
    }


def _held(hirewire: Hirewire) -> dict[str, float]:
    """Of worker, beat and the feeder's intake."""
    with hirewire.broker_client() as client:
        told: Any = client.info("clients")
    own = "datname = current_database() AND pid <> pg_backend_pid()"
    pids = list(tree(hirewire.programs["worker"]))
    return {
        "database_connections": _one(hirewire, f"SELECT count(*) FROM pg_stat_activity WHERE {own}"),  # noqa: S608 - our own words
        "broker_connections": float(told["connected_clients"]) - 1,
        "worker_processes": float(len(pids)),
        "worker_memory_mb": sum(map(pss_mb, pids)),
    }


def _bytes(hirewire: Hirewire, names: tuple[str, ...]) -> float:
    """With indexes."""
    return sum(_one(hirewire, f"SELECT pg_total_relation_size('{name}')") for name in names)


def _one(hirewire: Hirewire, query: str) -> float:
    with psycopg.connect(hirewire.told_in[0].replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()
    return float(row[0]) if row else 0.0
