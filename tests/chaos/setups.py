"""The two installations that chaos runs on: servers and programs, what can be killed of them, their end.

`Served`: PostgreSQL, Valkey, two prefork workers and beat, watched by the harness. `Embedded`: `hirewire up`
with SQLite, the embedded Valkey and one worker of threads, watched by the product's own supervisor.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from tests.chaos.facts import Rows
from tests.chaos.programs import HIREWIRE, STATE_VARIABLE, Program, end_leftovers, environment
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.valkey import ValkeyServer
from worker.stack import runtime
from worker.stack.leftovers import is_alive

_DOWN_S = (0.1, 0.6)
_READY_S = 30.0
WORKERS = 2


class SetUp(Protocol):
    """`victims`: kind -> one kill of it, which also has it started again."""

    environ: dict[str, str]
    rows: Rows
    logs: Path

    def start(self) -> None:
        """Servers, tables, programs."""

    def victims(self, rng: random.Random) -> Mapping[str, Callable[[], None]]: ...

    def ensure(self) -> None:
        """Everything that is to run runs."""

    def rest(self) -> None:
        """End the programs, keep database and files: nothing moves any more."""

    def close(self) -> None:
        """End everything. Safe in any state, also half started."""

    def stored(self) -> list[Path]:
        """Files of the broker and of the database."""


class Served:
    """`entry` starts a program of Hirewire: the product's own, or a variant that is broken on purpose."""

    def __init__(
        self, folder: Path, config: Path, secrets: Mapping[str, str], entry: Sequence[str] = HIREWIRE
    ) -> None:
        self._state = folder / "var"
        self.logs = folder / "logs"
        self._postgres = PostgresServer()
        self._valkey = ValkeyServer()
        self._entry = entry
        self._secrets = secrets
        self._config = config
        self._programs: list[Program] = []

    def start(self) -> None:
        """The servers, the tables, the programs."""
        self._postgres.start()
        self._valkey.start()
        url = sa.make_url(self._postgres.url(self._postgres.create_database()))
        text = url.set(password=self._secrets["database"]).render_as_string(hide_password=False)
        self.rows = Rows(text)
        self.environ = environment(
            {
                "HIREWIRE_CONFIG": str(self._config),
                STATE_VARIABLE: str(self._state),
                "HIREWIRE_DATABASE__URL": text,
                "HIREWIRE_BROKER__URL": self._valkey.url,
                "VENDOR_TOKEN": self._secrets["environment"],
            }
        )
        subprocess.run([*HIREWIRE, "migrate"], env=self.environ, check=True, timeout=60)  # noqa: S603 - our own words
        self.ensure()

    def ensure(self) -> None:
        self._postgres.ensure()
        self._valkey.ensure()
        if not self._programs:
            pool = [*self._entry, "worker", "--pool", "prefork"]
            names = [f"worker-{number}" for number in range(1, WORKERS + 1)]
            self._programs = [self._program(name, pool) for name in names]
            self._programs.append(self._program("beat", [*HIREWIRE, "beat"]))
        for program in self._programs:
            program.ensure()

    def _program(self, name: str, command: Sequence[str]) -> Program:
        return Program(name, command, self.environ, self.logs / f"{name}.log")

    def victims(self, rng: random.Random) -> Mapping[str, Callable[[], None]]:
        turns = iter(range(1_000_000))

        def worker() -> None:
            program = self._programs[next(turns) % WORKERS]
            program.ensure()
            how = rng.random()
            if how < 0.2:
                program.kill_child()  # beside the kill that counts
            if how < 0.7:
                program.kill_all()
            else:
                program.kill_parent()

        def broker() -> None:
            self._valkey.kill()
            time.sleep(rng.uniform(*_DOWN_S))
            self._valkey.start()

        def database() -> None:
            self._postgres.kill()
            time.sleep(rng.uniform(*_DOWN_S))
            self._postgres.start()

        return {"worker": worker, "broker": broker, "database": database}

    def rest(self) -> None:
        for program in self._programs:
            program.tell_to_stop()
        for program in self._programs:
            program.stop()
        self._programs = []
        end_leftovers(self._state)

    def close(self) -> None:
        with ExitStack() as each:  # each of them, whatever becomes of the others
            for server in (self._postgres, self._valkey):
                if server.home.exists():
                    each.callback(server.stop)
            each.callback(self.rest)

    def stored(self) -> list[Path]:
        folders = (self._valkey.home, self._postgres.home / "data")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


class Embedded:
    """`hirewire up` on a state folder; its supervisor starts again what is killed."""

    def __init__(self, folder: Path, config: Path, secrets: Mapping[str, str]) -> None:
        self._state = folder / "var"
        self.logs = folder / "logs"
        self.rows = Rows(f"sqlite:///{self._state / 'hirewire.db'}")
        self.environ = environment(
            {
                "HIREWIRE_CONFIG": str(config),
                STATE_VARIABLE: str(self._state),
                "HIREWIRE_API__PORT": "0",
                "VENDOR_TOKEN": secrets["environment"],
            }
        )
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.logs / "up.log").open("ab") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "worker.cli.main", "up"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.ensure()

    def ensure(self) -> None:
        limit = time.monotonic() + _READY_S
        while not all(self._pid(name) for name in ("broker", "worker", "beat")):
            if time.monotonic() > limit:
                raise RuntimeError(f"the stack did not start: {(self.logs / 'up.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _pid(self, name: str) -> int | None:
        found = runtime.read(self._state)
        try:
            pid = int((Path(found.folder) / f"{name}.pid").read_text()) if found else 0
        except (OSError, ValueError):
            return None
        return pid if pid and is_alive(pid) else None

    def victims(self, rng: random.Random) -> Mapping[str, Callable[[], None]]:
        del rng
        return {"worker": lambda: self._kill("worker"), "broker": lambda: self._kill("broker")}

    def _kill(self, name: str) -> None:
        self.ensure()
        pid = self._pid(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def rest(self) -> None:
        if self._up is not None:
            self._up.terminate()
            try:
                self._up.wait(90)
            except subprocess.TimeoutExpired:
                self._up.kill()
                self._up.wait()
            self._up = None
        end_leftovers(self._state)
        if (self._state / "logs").is_dir():
            shutil.copytree(self._state / "logs", self.logs, dirs_exist_ok=True)

    def close(self) -> None:
        self.rest()

    def stored(self) -> list[Path]:
        return [path for path in self._state.rglob("*") if path.is_file()]
