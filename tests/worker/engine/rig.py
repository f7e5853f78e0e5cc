"""The whole engine in one process: real database, real target over HTTP, signals kept in a list.

Signals are an argument of the engine, so a test needs no broker to drive it; the tests of the
processes use a real one.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from config.settings import Settings
from tests.fixtures.targets import ReferenceTarget
from worker import bootstrap, databases
from worker.domain.account import Account
from worker.engine.accept import Receipt
from worker.engine.ports import Signals
from worker.storage import tables
from worker.storage.codec import read_account
from worker.storage.strand import Verified
from worker.storage.verify import asking, verify

FAST: dict[str, Any] = {
    "shards": 1,
    "threads": 8,
    "linger_s": 0.0,
    "sync_max_s": 20,
    "late_effect_s": 0.3,
    "revocation_recheck_s": 0.2,
    "reread_s": [0.05, 0.1],
    "backoff_base_s": 0.05,
    "backoff_max_s": 0.2,
    "probe_every_s": 0.1,
    "lease_s": 30,
}
ATTRIBUTES = ["user_name", "given_name", "family_name", "email", "active", "groups", "department", "custom.*"]


class RecordedSignals:
    """Signals that a test can look at; nothing is carried out by itself."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def fold(self) -> None:
        self.sent.append(("fold", 0))

    def fold_seen(self) -> None:
        pass

    def sync(self, shard: int) -> None:
        self.sent.append(("sync", shard))

    def sync_runs(self, shard: int) -> None:
        pass

    def sync_seen(self, shard: int) -> None:
        pass

    def run(self, run_id: int) -> None:
        self.sent.append(("run", run_id))


def settings_for(
    database: str,
    state_dir: Path,
    targets: Mapping[str, ReferenceTarget],
    engine: Mapping[str, Any] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    source: Mapping[str, Any] | None = None,
    people: Mapping[str, Any] | None = None,
    audit: Mapping[str, Any] | None = None,
) -> Settings:
    return Settings.model_validate(
        {
            "state_dir": str(state_dir),
            "database": {"url": database},
            "engine": {**FAST, **(engine or {})},
            "sources": {"hr": {"uri": "hr", "attributes": ATTRIBUTES, **(source or {})}},
            "people": dict(people or {}),
            "audit": dict(audit or {}),
            "targets": {
                name: target_options(target) | dict((options or {}).get(name, {}))
                for name, target in targets.items()
            },
        }
    )


def target_options(target: ReferenceTarget) -> dict[str, Any]:
    scheme = "bearer" if target.style in ("awx", "authentik") else "token"
    return {
        "connector": target.style,
        "base_url": target.base_url,
        "credential": {"scheme": scheme, "secret": target.token},
        "mode": "enforce",
        "timeouts": {"connect_s": 1, "read_s": 1, "deadline_s": 2},
    }


class Rig:
    """Events in, then `work` until nothing is due within a moment."""

    def __init__(self, settings: Settings, signals: Signals | None = None) -> None:
        self.writer = databases.open_writer(settings)
        self._reader = databases.open_reader(settings)  # looking must not keep a worker from writing
        self.settings = settings
        self.signals: Any = signals or RecordedSignals()
        self.stopping = threading.Event()
        bootstrap.announce(settings)
        self.runtime = bootstrap.assemble(settings, self.signals, self.stopping)
        self.numbers = itertools.count(1)

    def event(self, subject: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        number = next(self.numbers)
        return {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "hr",
            "type": "hirewire.person.changed",
            "subject": subject,
            "time": f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
            "data": dict(data),
            **more,
        }

    def accept(self, *events: Mapping[str, Any]) -> list[Receipt]:
        raws = [json.dumps(event).encode() for event in events]
        return self.runtime.intake.accept(raws, "test")

    def say(self, subject: str, data: Mapping[str, Any], **more: Any) -> Receipt:
        return self.accept(self.event(subject, data, **more))[0]

    def fold(self) -> int:
        return self.runtime.fold.run()

    def sync(self) -> int:
        return sum(self.runtime.sync(shard) for shard in range(self.settings.engine.shards))

    def work(self, seconds: float = 10.0) -> None:
        """Fold and sync until nothing is due any more, or fail."""
        waiting = threading.Event()
        for _ in range(int(seconds / 0.02)):
            self.fold()
            self.sync()
            self.runtime.relay.run()
            if not self.due():
                return
            waiting.wait(0.02)
        raise AssertionError(f"still due after {seconds} s: {self.due()}")

    def due(self) -> list[int]:
        account = tables.account
        with self._read() as connection:
            return list(connection.scalars(sa.select(account.c.id).where(account.c.due_at.is_not(None))))

    def account(self, subject: str, target: str) -> Account:
        account, identity = tables.account, tables.identity
        query = (
            sa.select(account)
            .join(identity, account.c.identity_id == identity.c.id)
            .join(tables.target, tables.target.c.id == account.c.target_id)
            .where(identity.c.subject == subject, tables.target.c.name == target)
        )
        with self._read() as connection:
            return read_account(connection.execute(query).one())

    def audit(self, prefix: str = "") -> list[dict[str, Any]]:
        """Audit records whose action starts with the prefix, in the order of their ids."""
        query = sa.select(tables.audit.c.text).order_by(tables.audit.c.id)
        with self._read() as connection:
            records = [json.loads(text) for text in connection.scalars(query)]
        return [record for record in records if record["action"].startswith(prefix)]

    def actions(self, prefix: str = "account:") -> list[str]:
        return [record["action"] for record in self.audit(prefix)]

    def verify(self) -> Verified:
        with self._read() as connection:
            return verify(asking(connection))

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._reader.connect() as connection:
            yield connection

    def close(self) -> None:
        self.stopping.set()
        self.runtime.executor.shutdown(wait=True)
        self._reader.dispose()
        self.writer.dispose()
        self.runtime.store.dispose()
