"""Four of the kill points once more, in real Celery workers: their pool processes die, or all of the worker.

The message of the task that died comes again by itself or not at all: the relay finds what is left.
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.faults.world import Company, check, leases_run_out, open_since
from tests.fixtures.targets import ReferenceTarget
from tests.worker.cli.conftest import Installation, bare, until
from tests.worker.engine.rig import Rig
from worker.stack.leftovers import is_alive

pytestmark = pytest.mark.slow

TRIES = 10
ALL_OF_IT = (3, 7)  # tries in which the whole worker dies
POINTS = (
    "before commit: events.mark_folded",
    "after commit: audit account:patch:intended",
    "after connector.patch",
    "after commit: audit account:patch:applied",
)
SETTINGS = {
    "ENGINE__SHARDS": "1",
    "ENGINE__LATE_EFFECT_S": "0.2",
    "ENGINE__RELAY_EVERY_S": "0.2",
    "ENGINE__LINGER_S": "0.05",
    "ENGINE__LEASE_S": "5",
    "SOURCES__HR__URI": "hr",
    "SOURCES__HR__ORDER": "integer",
    "TARGETS__AWX_PROD__TIMEOUTS": '{"connect_s": 1, "read_s": 1, "deadline_s": 2}',
}
ADMIN_OF_AWX = {"id": 1, "username": "admin", "is_superuser": True}
__all__ = ["bare"]


class Workers:
    """One worker with pool processes and a beat, on PostgreSQL; the worker is mortal."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._file = installation.folder / "fatal"
        assert installation.run("migrate").code == 0
        self.start_worker()
        installation.start("beat")

    def start_worker(self) -> None:
        """As its supervisor does, at the start and after a death."""
        ready = self._count_ready()
        self._worker = self._popen("worker", "--pool", "prefork", "--concurrency", "2")
        until(lambda: self._count_ready() > ready or self._worker.poll() is not None, "worker ready")
        assert self._worker.poll() is None, self._installation.log("worker")

    def _popen(self, *words: str) -> subprocess.Popen[bytes]:
        with (self._installation.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", "tests.faults.mortal_worker", str(self._file), *words],
                env=self._installation.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._installation.started.append(process)
        return process

    def _count_ready(self) -> int:
        file = self._installation.folder / "worker.log"
        return file.read_text().count("worker_ready") if file.exists() else 0

    def arm(self, moment: str, whom: str) -> None:
        written = self._file.with_suffix(".new")
        written.write_text(f"{moment}\n{whom}\n")
        written.rename(self._file)

    def await_death(self, whom: str) -> None:
        until(lambda: not self._file.exists(), "somebody came to the point")
        (taken,) = self._file.parent.glob("fatal.*")
        until(lambda: not is_alive(int(taken.suffix[1:])), "dead")
        taken.unlink()
        if whom == "worker":
            self._worker.wait(60)
            self.start_worker()


@pytest.fixture
def installation(
    bare: Installation, valkey_url: str, postgres_url: str, awx_target: ReferenceTarget
) -> Installation:
    bare.environ |= {f"HIREWIRE_{name}": value for name, value in SETTINGS.items()}
    bare.environ["HIREWIRE_DATABASE__URL"] = postgres_url
    bare.environ["HIREWIRE_BROKER__URL"] = valkey_url
    bare.environ["HIREWIRE_TARGETS__AWX_PROD__BASE_URL"] = awx_target.base_url
    bare.environ["HIREWIRE_TARGETS__AWX_PROD__CREDENTIAL__SECRET"] = awx_target.token
    return bare


@pytest.mark.parametrize("point", POINTS)
def test_a_celery_worker_killed_at_a_point_loses_nothing_and_repeats_nothing(
    installation: Installation, awx_target: ReferenceTarget, point: str
) -> None:
    companies = [Company(n, people=2, versions=2, leavers=0, prefix=f"t{n}p") for n in range(TRIES)]
    people = [account for company in companies for account in company.accounts()[1:]]
    awx_target.reset(users=[ADMIN_OF_AWX, *people])
    before = awx_target.users()
    workers = Workers(installation)
    rig = Rig(installation.settings)
    try:
        for number, company in enumerate(companies):
            whom = "worker" if number in ALL_OF_IT else "child"
            workers.arm(point, whom)
            rig.accept(*company.events())
            workers.await_death(whom)
            leases_run_out(rig)
            settle(rig)
            check(rig, awx_target, company, before, "awx_prod")
    finally:
        rig.close()


def settle(rig: Rig, limit_s: float = 60.0) -> None:
    limit = time.monotonic() + limit_s
    while open_since(rig):
        assert time.monotonic() < limit, "it never settles"
        time.sleep(0.05)
