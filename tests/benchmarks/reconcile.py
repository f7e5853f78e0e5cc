"""How much memory and time a reconciliation takes: a real worker, a real broker, a target of any size.

Run it as `python -m tests.benchmarks.reconcile [ACCOUNTS] [DATABASE]`: without a database (an empty one of
your own, by its URL) in SQLite. The last line is one JSON object; `peak_mb` is the largest resident size that
any process of the worker ever had. The issue asks for 100,000 accounts in 300 MB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from config.settings import Settings, load
from tests.benchmarks.listing_server import CHANGED_EVERY, FIRST, user
from tests.fixtures.valkey import ValkeyServer
from worker import bootstrap
from worker.celery_app import create
from worker.databases import open_writer
from worker.domain.account import Account
from worker.domain.identity import Asserted, Identity
from worker.engine.ports import Signals
from worker.engine.reconcile_desk import ReconcileDesk
from worker.engine.reconciling import Policy
from worker.storage import tables
from worker.storage.codec import account_state, identity_state
from worker.storage.migrate import upgrade
from worker.storage.store import SqlStore

_BATCH = 5_000
_LIMIT_S = 1800
CONFIGURATION = """
state_dir = "var"
[broker]
url = "{broker}"
[database]
url = "{database}"
[sources.hr]
attributes = ["user_name", "given_name", "family_name", "email"]
[targets.awx]
connector = "awx"
base_url = "http://127.0.0.1:{port}"
mode = "enforce"
credential = {{ scheme = "bearer", secret = "x" }}
"""


def fill(settings: Settings, accounts: int) -> None:
    """So many people, each with a linked account that is as HR says, by the rows."""
    fingerprint = bootstrap.announce(settings)["awx"]
    engine = open_writer(settings)
    for start in range(1, accounts + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, accounts + 1))
        with engine.begin() as connection:
            connection.execute(sa.insert(tables.identity), [_person(number) for number in numbers])
            connection.execute(
                sa.insert(tables.account), [_account(number, fingerprint) for number in numbers]
            )
    engine.dispose()


def _said(number: int) -> dict[str, str]:
    shown = user(number)
    return {
        "user_name": shown["username"],
        "given_name": f"Given{number}",
        "family_name": shown["last_name"],
        "email": shown["email"],
    }


def _person(number: int) -> dict[str, Any]:
    said = {name: Asserted(value, "1", number, 1, "hr") for name, value in _said(number).items()}
    attributes, snapshots = identity_state(Identity(f"E{number}", 1, said))
    row = {"id": number, "subject": f"E{number}", "revision": 1, "created_at": 1.0}
    return {**row, "attributes": attributes, "snapshots": snapshots}


def _account(number: int, fingerprint: str) -> dict[str, Any]:
    names = {
        "user_name": "username",
        "given_name": "first_name",
        "family_name": "last_name",
        "email": "email",
    }
    seen = {names[name]: value for name, value in _said(number).items()}
    state = account_state(Account(number, number, 1, observed=seen, observed_at=1.0))
    return {
        "id": number,
        "identity_id": number,
        "target_id": 1,
        "shard": number % 2,
        "remote_id": str(FIRST + number),
        "applied_revision": 1,
        "priority": 1,
        "mapping_hash": fingerprint,
        "state": state,
    }


@contextmanager
def program(*words: str, log: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **environ},
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def peaks(pid: int) -> Iterator[float]:
    """Megabytes of a process and all that it has started."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            yield int(line.split()[1]) / 1024
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from peaks(int(child))


def watched(engine: sa.Engine, signals: Signals, run: int, pid: int) -> tuple[Any, float]:
    """The run when it is over, and the largest process of the worker. No beat runs: we send its signals."""
    peak, until = 0.0, time.monotonic() + _LIMIT_S
    while time.monotonic() < until:
        with engine.connect() as connection:
            row = connection.execute(sa.select(tables.run).where(tables.run.c.id == run)).one()
        peak = max(peak, *peaks(pid))
        if row.state in ("done", "failed", "held"):
            return row, peak
        sys.stderr.write(f"{row.done} accounts, {peak:.0f} MB\n")
        signals.run(run)
        time.sleep(1)
    raise SystemExit("the run does not end")


def measure(settings: Settings, accounts: int, folder: Path) -> dict[str, Any]:
    engine = open_writer(settings)
    environ = {"HIREWIRE_CONFIG": str(folder / "hirewire.toml")}
    with program("worker.cli.main", "worker", log=folder / "worker.log", **environ) as worker:
        signals = bootstrap.open_signals(settings, create(settings))
        desk = ReconcileDesk(SqlStore(engine, settings.engine.shards), signals)
        while b"worker_ready" not in (folder / "worker.log").read_bytes():
            time.sleep(0.1)
        idle = max(peaks(worker.pid))
        began = time.monotonic()
        run = desk.request("awx", Policy.REPORT, "benchmark", "to measure").id
        row, peak = watched(engine, signals, run, worker.pid)
        seconds = time.monotonic() - began
    engine.dispose()
    found = row.note["found"]
    if (row.state, found["linked"], found["differing"]) != ("done", accounts, accounts // CHANGED_EVERY):
        raise SystemExit(f"wrong: {row.state} {found} {row.note.get('failed')}")
    return {
        "accounts": accounts,
        "database": engine.dialect.name,
        "seconds": round(seconds, 1),
        "accounts_per_s": round(accounts / seconds),
        "peak_mb": round(peak),
        "idle_mb": round(idle),
    }


def played(accounts: int, database: str | None = None) -> dict[str, Any]:
    """What one reconciliation of so many accounts took, in a place of its own."""
    broker = ValkeyServer().start()
    try:
        with tempfile.TemporaryDirectory(prefix="hirewire-bench-") as name:
            folder = Path(name)
            url = database or f"sqlite:///{folder / 'hirewire.db'}"
            with program(
                "tests.benchmarks.listing_server", str(accounts), log=folder / "target.log"
            ) as target:
                assert target.stdout is not None
                port = int(target.stdout.readline())
                text = CONFIGURATION.format(broker=broker.url, database=url, port=port)
                (folder / "hirewire.toml").write_text(text)
                settings = load(folder / "hirewire.toml")
                upgrade(engine := open_writer(settings))
                engine.dispose()
                fill(settings, accounts)
                return measure(settings, accounts, folder)
    finally:
        broker.stop()


def main() -> None:
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    told = played(accounts, sys.argv[2] if len(sys.argv) > 2 else None)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
