"""An installation for tests of the command line: a configuration, a state folder, and real processes."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import pytest

from config.settings import Settings, load
from tests.fixtures.targets import ReferenceTarget
from tests.waiting import until
from tests.worker.cli.preloaded import Preloaded
from tests.worker.cli.screen import all_of
from worker.bootstrap import open_store
from worker.cli.broker import NoSignals
from worker.databases import open_reader, open_writer
from worker.domain.dates import Dates
from worker.engine.fold import Fold
from worker.intake import build_intake
from worker.storage.clock import clock
from worker.storage.freshness import targets, totals
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import sqlalchemy as sa

LIMIT_S = 60.0
_NOT_THEIRS = {"COLUMNS", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE"}  # the last: compiling costs two seconds
_UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
SOURCE = "https://hr.example.com"
CONFIGURATION = """
[engine]
linger_s = 0.1
relay_every_s = 0.5
late_effect_s = 1
revocation_recheck_s = 1
backoff_base_s = 0.2
reread_s = [0.2, 0.5]
probe_every_s = 3600

[intake]
max_event_bytes = 2000

[sources.hr]
uri = "https://hr.example.com"
attributes = ["user_name", "given_name", "family_name", "email", "active", "title"]

[targets.awx_prod]
connector = "awx"
base_url = "http://127.0.0.1:1"
mode = "enforce"
credential = { scheme = "bearer", secret = "canary-secret" }
"""


def event(name: str, subject: str = "E1001", kind: str = "changed", second: int = 0, **data: object) -> str:
    """One CloudEvent as a line."""
    body = {
        "specversion": "1.0",
        "id": name,
        "source": SOURCE,
        "type": f"hirewire.person.{kind}",
        "subject": subject,
        "time": f"2026-01-01T00:00:{second:02d}Z",
        "data": data,
    }
    return json.dumps(body, ensure_ascii=False)


class Answer:
    """How a command ended."""

    def __init__(self, code: int, out: bytes, errors: bytes) -> None:
        self.code = code
        self.out = out.decode()
        self.errors = errors.decode()

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"<exit {self.code}\n{self.out}\n{self.errors}>"


@cache
def preloaded() -> Preloaded:
    """One for each test process."""
    made = Preloaded()
    atexit.register(made.close)
    return made


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


class Installation:
    """Commands on one state folder. `environ` is added to each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_dir = folder / "var"
        self.configuration = folder / "hirewire.toml"
        self.configuration.write_text(CONFIGURATION)
        self.environ: dict[str, str] = {
            "HIREWIRE_CONFIG": str(self.configuration),
            "HIREWIRE_STATE_DIR": str(self.state_dir),
            "HIREWIRE_API__PORT": "0",
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "worker.cli.main", *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name not in _NOT_THEIRS}
        return ours | self.environ | dict(more or {})

    def run(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Answer:
        """A command that ends, as between files."""
        with TemporaryFile() as given, TemporaryFile() as said, TemporaryFile() as errors:
            given.write(stdin)
            given.seek(0)
            files = [file.fileno() for file in (given, said, errors)]
            code = preloaded().call(words, self.folder, self.environment(env), files, LIMIT_S)
            return Answer(code, _content(said), _content(errors))

    def in_terminal(self, width: int, *words: str) -> Answer:
        """A command that ends, in a terminal of 50 lines; what it showed is `out`, styles and all."""
        main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        with ThreadPoolExecutor(1) as reader:
            showing = reader.submit(all_of, main)
            try:
                environ = self.environment({"TERM": "xterm-256color"})
                code = preloaded().call(words, self.folder, environ, [terminal] * 3, LIMIT_S)
            finally:
                os.close(terminal)
            return Answer(code, showing.result(LIMIT_S).replace(b"\r\n", b"\n"), b"")

    def start(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """A command that goes on; what it says is in `log(words[0])`. Ended when the test is."""
        return self._start(words, stdin, {})

    def start_for_ctrl_c(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """As `start`, for a command where Ctrl-C raises, and without coverage.

        Where it raises inside coverage's tracer, `Collector.lock_data` keeps its lock and the process waits
        for ever, SIGTERM or not.
        """
        return self._start(words, stdin, _UNMEASURED)

    def _start(
        self, words: tuple[str, ...], stdin: int, environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own words
                self.command(*words),
                cwd=self.folder,
                env=self.environment(environ),
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def file(self, *lines: str, name: str = "events.ndjson") -> str:
        """A file of these lines, for `send`."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(path)

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """As its supervisor would; its exit code."""
        process.send_signal(signal.SIGTERM)
        return process.wait(LIMIT_S)

    @property
    def settings(self) -> Settings:
        """The configuration as a command without further variables has it."""
        return load(environ=self.environ)

    def accept(self, *lines: str) -> None:
        """As `send` does, in this process and without a signal."""
        store = SqlStore(self.rows, self.settings.engine.shards)
        receipts = build_intake(self.settings, store, NoSignals()).accept([x.encode() for x in lines], "test")
        assert {receipt.verdict.value for receipt in receipts} == {"accepted"}

    def fold(self) -> None:
        """As a worker does, in this process."""
        store = SqlStore(self.rows, self.settings.engine.shards)
        Fold(store, NoSignals(), frozenset(self.settings.targets), 100, 2, Dates()).run()

    @cached_property
    def rows(self) -> sa.Engine:
        """The database as a test looks at it, and changes it where nobody may."""
        return open_writer(self.settings)

    @cached_property
    def looking(self) -> sa.Engine:
        """As commands look at it: each transaction sees one moment, and keeps no worker from writing."""
        return open_reader(self.settings)

    def close(self) -> None:
        for engine in ("rows", "looking"):
            if engine in vars(self):
                getattr(self, engine).dispose()
        for process in self.started:
            if process.poll() is None:
                self.stop(process)
            if process.stdin is not None:
                process.stdin.close()


def point_at(installation: Installation, broker: str, target: ReferenceTarget) -> None:
    """Its broker, and its one target."""
    installation.environ["HIREWIRE_BROKER__URL"] = broker
    installation.environ["HIREWIRE_TARGETS__AWX_PROD__BASE_URL"] = target.base_url
    installation.environ["HIREWIRE_TARGETS__AWX_PROD__CREDENTIAL__SECRET"] = target.token


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Installation]:
    """A configuration and nothing else: no database, no broker, no target."""
    installation = Installation(tmp_path)
    yield installation
    installation.close()


@pytest.fixture
def migrated(bare: Installation, migrated_file: Path) -> Installation:
    """With a database, and still without a broker."""
    bare.state_dir.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(migrated_file, bare.state_dir / "hirewire.db")
    open_store(bare.settings, bare.rows)
    return bare


@pytest.fixture
def connected(migrated: Installation, valkey_url: str, awx_target: ReferenceTarget) -> Installation:
    """With a database, a broker and a target that answers; nothing runs yet."""
    point_at(migrated, valkey_url, awx_target)
    return migrated


@pytest.fixture
def working(connected: Installation) -> Installation:
    """With a worker and a beat at work."""
    start_programs(connected)
    return connected


def start_programs(installation: Installation) -> None:
    worker = installation.start("worker")
    installation.start("beat")
    until(lambda: "worker_ready" in installation.log("worker") or worker.poll() is not None, "worker ready")
    assert worker.poll() is None, installation.log("worker")


def settled(engine: sa.Engine, accounts: int) -> Callable[[], bool]:
    """Whether nothing is left to do for so many accounts, by the rows."""

    def look() -> bool:
        with engine.connect() as connection:
            now = clock(connection)
            rows, whole = targets(connection, now), totals(connection, now)
        open_ = sum(row.due + row.in_flight + row.later for row in rows) + whole.waiting
        return sum(row.accounts for row in rows) == accounts and open_ == 0

    return look
