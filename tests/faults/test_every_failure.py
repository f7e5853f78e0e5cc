"""Every statement of a small scenario fails once; so does every call to the broker, and on a checkpoint file.

Three people, two targets, a leaver, a lost answer. The n-th call fails for every n, the task ends with its
error as it would in a worker, and what production does next (the relay, the same event sent again, a lease
that runs out) brings everything to the same end.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from celery import Celery

from tests.faults.conftest import POSTGRESQL, SQLITE, MakeDatabase
from tests.faults.failing import Calls, Nth, cut_off, fail_statements, nobody_sends, refuse
from tests.faults.world import ADMIN, QUICK, SOURCE, Company, check, finish, leases_run_out, open_since
from tests.fixtures.targets import ReferenceTarget
from tests.fixtures.valkey import ValkeyServer
from tests.worker.engine.rig import Rig, settings_for
from tests.worker.storage.sealing import Sealed, made_keys
from worker.engine.ports import Signals
from worker.signals import CONTROL_QUEUE, FOLD_QUEUE, CelerySignals, sync_queue
from worker.storage import checkpoint_file, tables
from worker.storage.anchoring import Verdict
from worker.storage.database import writer
from worker.storage.store import SqlStore

pytestmark = pytest.mark.slow

CHUNKS = 8
LOST = {"method": "PATCH", "times": 1, "fault": {"kind": "drop_after"}}
Targets = Mapping[str, ReferenceTarget]


class Scenario:
    """The same story again and again, each time with other people, on one database."""

    def __init__(self, url: str, folder: Path, targets: Targets, signals: Signals | None = None) -> None:
        self.targets = targets
        self.rig = Rig(
            settings_for(url, folder, targets, {**QUICK, "brake_min": 10_000}, source=SOURCE), signals
        )
        self._told = 0

    def company(self) -> Company:
        """Three people whom nobody knows yet; their accounts have ids that were never used."""
        self._told += 1
        company = Company(seed=7, people=3, versions=1, prefix=f"t{self._told}p")
        seeds = [
            {**account, "id": 100 * self._told + place}
            for place, account in enumerate(company.accounts()[1:])
        ]
        for target in self.targets.values():
            target.reset(users=[ADMIN, *seeds])
        self.targets["admin"].faults([LOST])
        return company

    def tell(self, company: Company, patient: Callable[[Callable[[], object]], None]) -> None:
        """Accept, fold, sync and relay until all is done; `patient` carries each task out."""
        events = company.events()
        half = len(events) // 2
        for part in (events[:half], events[half:]):
            patient(lambda part=part: self.rig.accept(*part))
            patient(self.rig.fold)
            patient(self.rig.sync)
        patient(lambda: finish(self.rig))


@pytest.fixture
def scenario(
    make_database: MakeDatabase,
    kind: str,
    tmp_path: Path,
    django_admin_target: ReferenceTarget,
    awx_target: ReferenceTarget,
) -> Iterator[Scenario]:
    targets = {"admin": django_admin_target, "awx": awx_target}
    made = Scenario(make_database(kind), tmp_path, targets)
    yield made
    made.rig.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize(("kind", "every", "strike"), [(SQLITE, 1, refuse), (POSTGRESQL, 3, cut_off)])
def test_whichever_statement_fails_the_end_is_the_same(
    scenario: Scenario, chunk: int, every: int, strike: Callable[[sa.Connection], None]
) -> None:
    """Every one on SQLite; on PostgreSQL every third, whose session ends for good."""
    nth, rig = Nth(), scenario.rig
    fail_statements(rig.runtime, nth, strike)

    def patient(task: Callable[[], object]) -> None:
        """The task ends with its error; its worker's threads come back, its leases run out; once more."""
        try:
            task()
        except sa.exc.OperationalError:
            nobody_sends(rig.runtime)
            leases_run_out(rig)
            task()

    n = every * chunk + 1
    while True:
        company = scenario.company()
        before = {name: target.users() for name, target in scenario.targets.items()}
        nth.fail(n)
        scenario.tell(company, patient)
        if not nth.failed:
            break
        for name, target in scenario.targets.items():
            check(rig, target, company, before[name], name)
        n += every * CHUNKS
    assert n > 50, "the scenario is too small to prove anything"


def hung_up() -> Exception:
    return redis.exceptions.ConnectionError("the broker hung up")


class Broker:
    """Signals on a real Valkey; the n-th command to it, or message through it, meets a lost connection."""

    def __init__(self, server: ValkeyServer, nth: Nth) -> None:
        self._client = server.client()
        self._app = Celery("hirewire", broker=server.url, set_as_current=False)
        commands: Any = Calls(self._client, frozenset({"set", "delete"}), nth, hung_up)
        sender: Any = Calls(self._app, frozenset({"send_task"}), nth, hung_up)
        self.signals = CelerySignals(sender, commands, ttl_s=0.2)

    def waiting(self) -> set[str]:
        """The queues that had a message; all of them are empty afterwards."""
        queues = (FOLD_QUEUE, sync_queue(0), CONTROL_QUEUE)
        return {queue for queue in queues if self._emptied(queue)}

    def _emptied(self, queue: str) -> bool:
        found = bool(self._client.exists(queue))
        self._client.delete(queue)
        return found

    def close(self) -> None:
        self._app.close()
        self._client.close()


def carry_out_messages(rig: Rig, broker: Broker, limit_s: float = 20.0) -> None:
    """Only what a message asks for is done, but for the relay, which beat calls."""
    limit = time.monotonic() + limit_s
    while open_since(rig):
        assert time.monotonic() < limit, "a message was lost, and nobody noticed"
        rig.runtime.relay.run()
        waiting = broker.waiting()
        if FOLD_QUEUE in waiting:
            rig.fold()
        if sync_queue(0) in waiting:
            rig.sync()
        time.sleep(0.01)


def test_whichever_call_to_the_broker_fails_the_end_is_the_same(
    make_database: MakeDatabase,
    tmp_path: Path,
    valkey_server: ValkeyServer,
    django_admin_target: ReferenceTarget,
) -> None:
    nth = Nth()
    broker = Broker(valkey_server, nth)
    targets = {"admin": django_admin_target}
    scenario = Scenario(make_database(SQLITE), tmp_path, targets, broker.signals)
    n = 1
    while n == 1 or nth.failed:
        company = scenario.company()
        before = django_admin_target.users()
        nth.fail(n)
        scenario.rig.accept(*company.events())
        carry_out_messages(scenario.rig, broker)
        check(scenario.rig, django_admin_target, company, before, "admin")
        n += 1
    scenario.rig.close()
    broker.close()
    assert n > 10, "the scenario is too small to prove anything"


def disk_full() -> Exception:
    return OSError(errno.ENOSPC, "No space left on device")


FILE_CALLS = frozenset({"open", "lseek", "pread", "ftruncate", "write", "fsync"})


@pytest.mark.parametrize("nth_checkpoint", [1, 2])
def test_whichever_call_on_the_checkpoint_file_fails_the_audit_is_sealed_in_the_end(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth_checkpoint: int
) -> None:
    nth = Nth()
    monkeypatch.setattr(checkpoint_file, "os", Calls(os, FILE_CALLS, nth, disk_full))
    n, failed = 1, True
    while failed:
        engine = writer(make_database(SQLITE))
        sealed = Sealed(SqlStore(engine, 1), engine, tmp_path / f"{n}" / "checkpoints", made_keys())
        sealed.begin()
        for _ in range(nth_checkpoint - 1):
            sealed.append(3)
            sealed.seal()
        sealed.append(3)
        nth.fail(n)
        sealed.sealer.run()
        failed = nth.failed
        assert open_alarms(engine) == (["audit_unsealed"] if failed else [])
        nth.fail(0)
        if failed:
            sealed.sealer.run()
        assert open_alarms(engine) == []
        assert sealed.look().verdict is Verdict.WHOLE
        assert len(sealed.lines()) == nth_checkpoint + 1
        engine.dispose()
        n += 1
    assert n > 4, "the file is hardly touched"


def open_alarms(engine: sa.Engine) -> list[str]:
    alarm = tables.alarm
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(alarm.c.kind).where(alarm.c.cleared_at.is_(None))))
