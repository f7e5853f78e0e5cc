"""The programs of a deployment as real processes: what compose would run, where it would run it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tests.deployment.files import service
from tests.deployment.room import Room
from worker.storage.database import reader, writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from tests.deployment.services import Broker, Database
    from tests.fixtures.targets import ReferenceTarget

LIMIT_S = 90.0
GRACE_S = 45.0

_QUICKER = {
    "HIREWIRE_ENGINE__LATE_EFFECT_S": "1",
    "HIREWIRE_ENGINE__REVOCATION_RECHECK_S": "1",
    "HIREWIRE_ENGINE__BACKOFF_BASE_S": "0.2",
    "HIREWIRE_ENGINE__REREAD_S": "[0.2, 0.5]",
    "HIREWIRE_ENGINE__LEASE_S": "35",
}
"""Waits made short. Beside them only what names this machine's target, and that it may be written to."""


class Deployment:
    """Services of the compose file by name. What a program says is in `log`."""

    def __init__(self, folder: Path, database: Database, broker: Broker, target: ReferenceTarget) -> None:
        self.room = Room(folder, target.token)
        self.database = database
        self.broker = broker
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self._opened: list[sa.Engine] = []
        self._more = {
            **_QUICKER,
            "HIREWIRE_TARGETS__AWX_PROD__BASE_URL": target.base_url,
            "HIREWIRE_TARGETS__AWX_PROD__MODE": "enforce",
        }

    def __enter__(self) -> Self:
        self.room.__enter__()
        self._move("database_owner_url", "@postgres:5432/hirewire", f"@{self.database.address}")
        self._move("database_app_url", "@postgres:5432/hirewire", f"@{self.database.address}")
        self._move("broker_url", "@valkey:6379/", f"@127.0.0.1:{self.broker.port}/")
        self.database.make(self.room)
        self.broker.start(self.room)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.started.values():  # only where a test has failed: with its pool processes
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for engine in self._opened:
            engine.dispose()
        self.broker.stop()
        self.database.drop()
        self.room.__exit__()

    def _move(self, secret: str, there: str, here: str) -> None:
        """The address of a service as it is in this test; the password stays."""
        file = self.room.secrets / secret
        text = file.read_text()
        assert text.count(there) == 1
        file.write_text(text.replace(there, here))

    def run(self, name: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`docker compose run --rm -T SERVICE WORDS`, to its end."""
        return self._ended(self.room.command(name, *words), name, stdin)

    def check_health(self, name: str) -> subprocess.CompletedProcess[str]:
        """As the engine does it, in the environment of the service."""
        return self._ended(self.room.health(name), name, "")

    def _ended(self, command: list[str], name: str, stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own words
            command,
            **self.room.process(name, self._more),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def up(self) -> None:
        """The migrate job, then every replica; returns when the workers are ready."""
        migrated = self.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        for name in ("worker", "beat"):
            for number in range(service(name)["deploy"]["replicas"]):
                self.start(name, f"{name}-{number + 1}")
        for replica in ("worker-1", "worker-2"):
            self.until_ready(replica)

    def start(self, name: str, replica: str) -> None:
        with (self.room.folder / f"{replica}.log").open("ab") as log:
            self.started[replica] = subprocess.Popen(  # noqa: S603 - our own words
                self.room.command(name),
                **self.room.process(name, self._more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until_ready(self, replica: str) -> None:
        process = self.started[replica]
        limit = time.monotonic() + LIMIT_S
        while "worker_ready" not in self.log(replica):
            assert process.poll() is None, self.log(replica)
            assert time.monotonic() < limit, self.log(replica)
            time.sleep(0.1)

    def stop(self, *replicas: str) -> dict[str, int]:
        """SIGTERM to the first process of each, and at most the grace period; the exit codes."""
        for replica in replicas:
            self.started[replica].send_signal(signal.SIGTERM)
        limit = time.monotonic() + GRACE_S
        return {
            replica: self.started.pop(replica).wait(max(0.1, limit - time.monotonic()))
            for replica in replicas
        }

    def log(self, replica: str) -> str:
        return (self.room.folder / f"{replica}.log").read_text()

    def as_role(self, secret: str) -> sa.Engine:
        """The database as the holder of a secret file reaches it."""
        return self._open(writer, secret)

    def looking(self) -> sa.Engine:
        """The database as the programs read it: each transaction sees one moment."""
        return self._open(reader, "database_app_url")

    def _open(self, build: Callable[[str], sa.Engine], secret: str) -> sa.Engine:
        engine = build((self.room.secrets / secret).read_text().strip())
        self._opened.append(engine)
        return engine
