"""The watchdog: which work counts, how patient it is, and real workers that hang or only have to wait."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event, point_at, settled
from tests.worker.storage.world import lease, make_due, people, register
from worker.cli.vitals import SharedVitals
from worker.cli.watchdog import STUCK, Patience
from worker.engine.keeper import WATCHDOG_ALARM
from worker.storage import tables
from worker.storage.database import writer
from worker.storage.overdue import Overdue, Worker, overdue
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Installation

AGE_S = 60.0
LIMIT = 3.0
ANNIKA = event("ev-1", second=1, user_name="anna.berg", given_name="Annika", family_name="Berg")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    made = writer(database_url)
    yield made
    made.dispose()


@pytest.fixture
def world(engine: sa.Engine) -> tuple[SqlStore, int]:
    """One account of shard 0 that has been due for longer than a watchdog waits."""
    store = SqlStore(engine, 2)
    target = register(store, awx=2)["awx"]
    even = next(row for row in people(store, "E1", "E2") if row % 2 == 0)
    with store.begin() as tx:
        now = tx.now
    make_due(store, [even], [target], now=now - AGE_S - 1)
    return store, target


def seen(engine: sa.Engine, fingerprint: str = "f") -> list[Overdue]:
    with engine.connect() as connection:
        return overdue(connection, Worker("me", {"awx": fingerprint}, 2), AGE_S)


def test_old_work_that_may_be_done_is_seen(world: tuple[SqlStore, int], engine: sa.Engine) -> None:
    _, target = world
    assert seen(engine) == [Overdue(target, 0)]


def test_work_at_a_target_that_may_not_be_sent_to_is_none(
    world: tuple[SqlStore, int], engine: sa.Engine
) -> None:
    store, target = world
    with store.begin() as tx:
        tx.targets.pause(target, "maintenance", "somebody", None)
    assert seen(engine) == []
    with store.begin() as tx:
        tx.targets.resume(target)
        tx.targets.close_gate(target, tx.now + 60)
    assert seen(engine) == []


def test_slots_that_others_use_are_waited_for_and_our_own_are_not(
    world: tuple[SqlStore, int], engine: sa.Engine
) -> None:
    store, target = world
    with store.begin() as tx:
        tx.targets.take_slots(target, 2, 2, lease("other:1", now=tx.now))
    assert seen(engine) == []
    with store.begin() as tx:
        tx.targets.free_slots("other:1")
        tx.targets.take_slots(target, 2, 2, lease("me:1", now=tx.now))
    assert seen(engine) == [Overdue(target, 0)]


def test_what_another_worker_is_at_is_left_to_it(world: tuple[SqlStore, int], engine: sa.Engine) -> None:
    store, target = world
    with store.begin() as tx:
        assert tx.accounts.claim(0, target, 1, lease("other:1", now=tx.now))
    assert seen(engine) == []


def test_what_we_have_in_hand_ourselves_counts(world: tuple[SqlStore, int], engine: sa.Engine) -> None:
    store, target = world
    with store.begin() as tx:
        assert tx.accounts.claim(0, target, 1, lease("me:1", now=tx.now))
    assert seen(engine) == [Overdue(target, 0, ours=True)]


def test_a_worker_with_an_older_configuration_has_no_work(
    world: tuple[SqlStore, int], engine: sa.Engine
) -> None:
    _, target = world
    with engine.begin() as connection:
        connection.execute(sa.update(tables.target).values(fingerprint="newer"))
    assert seen(engine) == []
    assert seen(engine, "newer") == [Overdue(target, 0)]


class Silent(SharedVitals):
    """Vitals that have been silent for given times."""

    def __init__(self, whole_s: float, shard_s: float) -> None:
        super().__init__(2)
        self._whole_s, self._shard_s = whole_s, shard_s

    def silence_s(self) -> float:
        return self._whole_s

    def silence_of_s(self, shard: int) -> float:  # noqa: ARG002 - of any
        return self._shard_s


WORK, IN_HAND = Overdue(1, 0), Overdue(1, 0, ours=True)


@pytest.mark.parametrize(
    ("found", "whole_s", "shard_s", "over"),
    [
        (WORK, 60, 60, True),
        (WORK, 59, 60, False),  # another shard gets on
        (IN_HAND, 0, 60, True),  # whatever other shards do
        (IN_HAND, 60, 59, False),
    ],
)
def test_patience_ends_only_where_nothing_gets_done(
    found: Overdue, whole_s: float, shard_s: float, *, over: bool
) -> None:
    patience = Patience(60)
    assert not patience.is_over([found], Silent(whole_s, shard_s), 0)
    assert not patience.is_over([found], Silent(whole_s, shard_s), 59)
    assert patience.is_over([found], Silent(whole_s, shard_s), 60) is over


def test_work_that_went_away_between_is_waited_for_anew() -> None:
    patience, silent = Patience(60), Silent(99, 99)
    patience.is_over([WORK], silent, 0)
    patience.is_over([], silent, 30)
    assert not patience.is_over([WORK], silent, 60)
    patience.forget()
    assert not patience.is_over([WORK], silent, 120)


FORKING = """
import os, time
from worker.cli.vitals import SharedVitals

vitals = SharedVitals(2)
time.sleep(0.2)
before = vitals.silence_of_s(1)
child = os.fork()
if child == 0:
    vitals.settled(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert vitals.silence_of_s(1) < vitals.silence_of_s(0) and vitals.silence_s() < vitals.silence_of_s(0)
assert before >= 0.2
"""


def test_vitals_of_a_forked_process_are_seen_here() -> None:
    """In a process without threads: a fork copies the locks that others hold."""
    subprocess.run([sys.executable, "-c", FORKING], check=True, timeout=60)  # noqa: S603 - our own words


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, bare: Installation, valkey_url: str) -> Installation:
    """Threads on SQLite, processes on PostgreSQL; a watchdog of little patience."""
    if request.param == "postgresql":
        bare.environ["HIREWIRE_DATABASE__URL"] = request.getfixturevalue("postgres_url")
    target: ReferenceTarget = request.getfixturevalue("awx_target")
    point_at(bare, valkey_url, target)
    bare.environ["HIREWIRE_ENGINE__WATCHDOG_S"] = str(LIMIT)
    assert bare.run("migrate").code == 0
    return bare


def start_stuck(installation: Installation, file: Path) -> subprocess.Popen[bytes]:
    with (installation.folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "tests.worker.cli.stuck_worker", str(file)],
            env=installation.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    installation.started.append(process)
    return process


@pytest.mark.slow
def test_a_worker_that_hangs_exits_and_the_next_one_does_its_work(
    installation: Installation, awx_target: ReferenceTarget, tmp_path: Path
) -> None:
    installation.accept(ANNIKA)
    first = start_stuck(installation, tmp_path / "hung")
    assert first.wait(LIMIT_S) == STUCK, installation.log("worker")
    with installation.rows.connect() as connection:
        kinds = set(connection.scalars(sa.select(tables.alarm.c.kind)))
        told = list(connection.scalars(sa.select(tables.audit.c.action)))
    assert WATCHDOG_ALARM in kinds
    assert "worker:watchdog:exited" in told
    with installation.rows.begin() as connection:  # not to wait for the end of the dead one's lease
        dead = sa.update(tables.account).where(tables.account.c.lease_token.is_not(None))
        connection.execute(dead.values(due_at=1.0))
        connection.execute(sa.update(tables.slot).values(leased_until=0.0))
    start_stuck(installation, tmp_path / "hung")
    installation.start("beat")
    until(settled(installation.looking, 1), "settled")
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


@pytest.mark.slow
def test_a_worker_whose_targets_are_all_paused_goes_on_waiting(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    store = SqlStore(installation.rows, installation.settings.engine.shards)
    with store.begin() as tx:
        target = tx.targets.all()[0].id
        tx.targets.pause(target, "maintenance", "somebody", None)
    installation.accept(ANNIKA)
    worker = installation.start("worker")
    installation.start("beat")
    until(lambda: "worker_ready" in installation.log("worker"), "ready")
    installation.fold()
    with installation.rows.begin() as connection:
        connection.execute(sa.update(tables.account).values(due_at=1.0))
    time.sleep(3 * LIMIT)
    assert worker.poll() is None
    assert "watchdog" not in installation.log("worker")
    with store.begin() as tx:
        tx.targets.resume(target)
    until(settled(installation.looking, 1), "settled")
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
