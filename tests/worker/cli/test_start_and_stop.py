"""A worker alone: what it looks for when it starts, and what it leaves behind when it is told to stop."""

from __future__ import annotations

import json
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event, point_at, settled
from worker.storage import tables
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Installation

NAMES = [f"p{number:02d}" for number in range(12)]


@pytest.fixture(params=["threads", "prefork"])
def installation(request: pytest.FixtureRequest, bare: Installation, valkey_url: str) -> Installation:
    """Threads on SQLite, processes on PostgreSQL; twelve people whom the target knows."""
    if request.param == "prefork":
        bare.environ["HIREWIRE_DATABASE__URL"] = request.getfixturevalue("postgres_url")
    target: ReferenceTarget = request.getfixturevalue("awx_target")
    people = [{"username": name, "first_name": "P", "last_name": name} for name in NAMES]
    target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *people])
    point_at(bare, valkey_url, target)
    assert bare.run("migrate").code == 0
    return bare


def say(installation: Installation, number: int, given_name: str) -> None:
    """Accepted, with no signal to anybody."""
    installation.accept(
        *(
            event(
                f"{name}-{number}",
                name,
                second=number,
                user_name=name,
                given_name=given_name,
                family_name=name,
            )
            for name in NAMES
        )
    )


def written(target: ReferenceTarget) -> set[str]:
    return {row["first_name"] for row in target.rows() if row["username"] != "admin"}


def count(installation: Installation, condition: sa.ColumnElement[bool]) -> int:
    with installation.rows.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).where(condition)).scalar_one())


def records(installation: Installation) -> list[dict[str, str]]:
    with installation.rows.connect() as connection:
        query = sa.select(tables.audit.c.text).where(tables.audit.c.action.startswith("account:patch:"))
        return [json.loads(text) for text in connection.scalars(query.order_by(tables.audit.c.id))]


@pytest.mark.slow
def test_a_worker_that_starts_finds_in_the_rows_what_no_message_told(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    say(installation, 1, "Q")
    installation.start("worker")  # and no beat
    until(settled(installation.looking, len(NAMES)), "settled")
    assert written(awx_target) == {"Q"}
    installation.stop(installation.started[0])

    store = SqlStore(installation.rows, installation.settings.engine.shards)
    with store.begin() as tx:
        run = tx.runs.create("resync", {}, "somebody", tx.now)
    awx_target.reset(
        users=[{"id": 1, "username": "admin", "is_superuser": True}]
        + [{"username": name, "first_name": "Drifted", "last_name": name} for name in NAMES]
    )
    installation.start("worker")
    done = sa.and_(tables.run.c.id == run.id, tables.run.c.state == "done")
    until(lambda: count(installation, done), "the run is carried out")
    until(settled(installation.looking, len(NAMES)), "settled again")
    assert written(awx_target) == {"Q"}


@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_finishes_what_is_in_flight_and_keeps_nothing(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    slow = {"method": "PATCH", "times": None, "fault": {"kind": "delay", "seconds": 1.0}}
    awx_target.faults([slow])
    say(installation, 1, "Q")
    worker = installation.start("worker")
    until(awx_target.writes, "a change is in flight")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LIMIT_S) == 0

    outcomes = Counter(record["action"].rpartition(":")[2] for record in records(installation))
    intended = outcomes.pop("intended")
    assert set(outcomes) <= {"applied", "not_sent"}
    assert sum(outcomes.values()) == intended
    assert 0 < outcomes["applied"] < len(NAMES)
    assert outcomes["applied"] == len(awx_target.writes())
    assert count(installation, tables.account.c.lease_token.is_not(None)) == 0
    assert count(installation, tables.account.c.doubt_at.is_not(None)) == 0
    assert count(installation, tables.slot.c.owner.is_not(None)) == 0
    assert "Traceback" not in installation.log("worker")

    awx_target.clear_faults()
    installation.start("worker")
    until(settled(installation.looking, len(NAMES)), "settled by the next one")
    assert written(awx_target) == {"Q"}
    assert len(awx_target.writes()) == len(NAMES)
