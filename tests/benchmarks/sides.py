"""The competitors: what each starts, how it is fed, and where it writes down how long an event took."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import psycopg
import redis

from config.settings import load
from tests.benchmarks.people import fill
from tests.benchmarks.processes import Program
from tests.benchmarks.stage import Stage
from worker.databases import open_writer
from worker.storage.migrate import upgrade

KEY = "benchmark"
_CONFIGURATION = """
state_dir = "var"
[broker]
url = "{broker}"
[database]
url = "{database}"
[engine]
threads = {threads}
shards = {shards}
[api]
port = {api_port}
events_per_s = 1000000
burst = 1000000
max_backlog = 100000000
[sources.hr]
attributes = ["user_name", "given_name", "family_name", "email"]
[sources.hr.keys.benchmark]
sha256 = "{key}"
"""
_TARGET = """
[targets.{name}]
connector = "awx"
base_url = "http://127.0.0.1:{port}"
mode = "enforce"
max_in_flight = {max_in_flight}
rate_per_s = {rate_per_s}
credential = {{ scheme = "bearer", secret = "benchmark" }}
"""
_NAIVE_TABLE = """
CREATE TABLE naive_audit (
    id bigserial PRIMARY KEY, at double precision NOT NULL, user_id bigint NOT NULL, changes text NOT NULL,
    status int NOT NULL, latency_s double precision NOT NULL
)
"""


class Side(Protocol):
    """Something that makes a PATCH of an event. `batch`: how many are handed over together."""

    name: str
    batch: int
    told_in: tuple[str, str]  # database and table with the latencies

    @property
    def programs(self) -> dict[str, int]:
        """Name to process, of what works for it; database and broker aside."""

    def feed(self, **job: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Remote:
    """A target as it is configured."""

    name: str
    port: int
    max_in_flight: int = 32
    rate_per_s: float = 50_000


@dataclass(frozen=True, slots=True)
class Size:
    """`threads` for each shard; a worker works on as many shards at once as there are."""

    threads: int = 16
    shards: int = 2
    workers: int = 1


USUAL = Size()


class Hirewire:
    """Its own programs on a database of its own. `people` have an account at each target, as HR says.

    `through`: the module and words that each of them is started by.
    """

    def __init__(
        self,
        stage: Stage,
        people: int,
        targets: Sequence[Remote] = (),
        size: Size = USUAL,
        through: Sequence[str] = (),
    ) -> None:
        self.name = "hirewire"
        self._through = through
        self._workers = size.workers
        self.batch = 100
        self.people = people
        self.api_port = _free_port()
        self.folder = stage.folder / f"hirewire-{self.api_port}"
        self.folder.mkdir()
        self.config = self.folder / "hirewire.toml"
        self._database, self._broker = stage.database(), stage.broker()
        self.told_in = (self._database, "audit")
        self.configure(targets or [Remote("awx", stage.target.port)], size)
        settings = load(self.config)
        upgrade(engine := open_writer(settings))
        engine.dispose()
        fill(settings, people)
        self._started = ExitStack()
        stage.at_end(self._started.close)
        self._programs: dict[str, Program] = {}

    def configure(self, targets: Sequence[Remote], size: Size) -> None:
        """For the next start."""
        head = _CONFIGURATION.format(
            broker=self._broker,
            database=self._database,
            threads=size.threads,
            shards=size.shards,
            api_port=self.api_port,
            key=hashlib.sha256(KEY.encode()).hexdigest(),
        )
        self.config.write_text(head + "".join(_TARGET.format(**asdict(target)) for target in targets))

    def __enter__(self) -> Self:
        """Workers and beat, and a process that hands events to the intake."""
        workers = [self.start("worker", number) for number in range(self._workers)]
        self.start("beat")
        self._feeder = self.feeder("intake", str(self.config))
        for worker in workers:
            worker.logged("worker_ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()
        self._programs = {}

    def start(self, program: str, number: int = 0) -> Program:
        """One of Hirewire's own, with a new log; ended with the rest."""
        environ = {"HIREWIRE_CONFIG": str(self.config)}
        name = f"{program}-{number}" if number else program
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        words = (*self._through, "worker.cli.main", program)
        started = self._started.enter_context(Program(*words, log=log, **environ))
        self._programs[name] = started
        return started

    def broker_client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=self._broker.partition("://")[2])

    def feeder(self, *door: str) -> Feeding:
        log = self.folder / "feeder.log"
        return self._started.enter_context(Feeding(log, self.people, *door, through=self._through))

    @property
    def programs(self) -> dict[str, int]:
        found = {name: program.pid for name, program in self._programs.items()}
        return {**found, "feeder": self._feeder.pid}

    def feed(self, **job: Any) -> dict[str, Any]:
        return self._feeder.told_of(**job)


class Naive:
    """Celery's own worker with so many processes."""

    def __init__(self, stage: Stage, concurrency: int) -> None:
        self.name = f"naive-{concurrency}"
        self.batch = 100
        self._concurrency = concurrency
        self._log = stage.folder / f"{self.name}.log"
        database = stage.database()
        self.told_in = (database, "naive_audit")
        conninfo = database.replace("+psycopg", "")
        with psycopg.connect(conninfo) as connection:
            connection.execute(_NAIVE_TABLE)
        self.environ = {
            "NAIVE_BROKER": stage.broker(),
            "NAIVE_DATABASE": conninfo,
            "NAIVE_TARGET": f"http://127.0.0.1:{stage.target.port}",
        }
        self._started = ExitStack()
        stage.at_end(self._started.close)

    def __enter__(self) -> Self:
        words = ["-A", "tests.benchmarks.naive.app", "worker", "--pool=prefork", "--loglevel=WARNING"]
        words += [f"--concurrency={self._concurrency}", "--without-gossip", "--without-mingle"]
        words += ["--without-heartbeat"]
        self._worker = self._started.enter_context(Program("celery", *words, log=self._log, **self.environ))
        self._worker.logged("naive worker ready")
        self._feeder = self.feeder()
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()

    def feeder(self) -> Feeding:
        return self._started.enter_context(
            Feeding(self._log.with_suffix(".feeder"), 20_000, "naive", **self.environ)
        )

    @property
    def programs(self) -> dict[str, int]:
        return {"worker": self._worker.pid, "feeder": self._feeder.pid}

    def feed(self, **job: Any) -> dict[str, Any]:
        return self._feeder.told_of(**job)


class Feeding(Program):
    """A process that sends events."""

    def __init__(
        self, log: Path, people: int, *door: str, through: Sequence[str] = (), **environ: str
    ) -> None:
        super().__init__(*through, "tests.benchmarks.feeder", str(people), *door, log=log, **environ)
        self.told()

    def told_of(self, **job: Any) -> dict[str, Any]:
        """What came of one job."""
        self.ask(json.dumps(job))
        told: dict[str, Any] = self.told()
        return told


def raw(stage: Stage, threads: int, seconds: float) -> dict[str, float]:
    """Two processes of `requests` alone, begun together."""
    words = (str(stage.target.port), str(threads), str(seconds))
    log = stage.folder / "raw.log"
    with ExitStack() as opened:
        both = [opened.enter_context(Program("tests.benchmarks.raw", *words, log=log)) for _ in range(2)]
        for program in both:
            program.line()
        for program in both:
            program.ask("go")
        told = [program.told() for program in both]
    patches = sum(each["patches"] for each in told)
    return {
        "per_s": patches / max(each["seconds"] for each in told),
        "cpu_ms_each": 1000 * sum(each["cpu_s"] for each in told) / patches,
    }


def until_port(port: int, limit_s: float = 30.0) -> None:
    """Return once somebody listens there."""
    limit = time.monotonic() + limit_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
