"""What all competitors share: a PostgreSQL, a sink, a folder, and a list of what was measured."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

import sqlalchemy as sa

from tests.benchmarks.measures import Run, short
from tests.benchmarks.processes import Program, cpu_s, end_all
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.valkey import ValkeyServer


class Target:
    """The sink, as the harness asks it."""

    def __init__(self, log: Path) -> None:
        self.program = Program("tests.benchmarks.sink", log=log)
        self.port = int(self.program.line())
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def patched(self) -> int:
        """PATCHes that it has taken so far."""
        return int(self._ask("patched")["patched"])

    def arrivals(self) -> list[float]:
        """When the PATCHes came that nobody asked for yet, by a clock that never goes back."""
        return [float(one) for one in self._ask("arrivals")["arrivals"]]

    def delay(self, seconds: float) -> None:
        """Before each answer from now on."""
        self._ask(f"delay/{seconds}")

    def _ask(self, what: str) -> dict[str, Any]:
        self._connection.request("GET", f"/bench/{what}")
        told: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return told


class Stage:
    """Opened and closed as a whole. `sizes`: how many accounts there are where that is what is asked."""

    def __init__(self, seconds: float, rounds: int, sizes: Sequence[int]) -> None:
        self.seconds = seconds
        self.rounds = rounds
        self.sizes = sizes
        self.runs: list[Run] = []
        self._opened = ExitStack()
        self._brokers: list[ValkeyServer] = []
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self.folder = Path(mkdtemp(prefix="hw-bench-"))
        self._opened.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self.postgres = PostgresServer()
            self._opened.callback(self.postgres.stop)
            self.postgres.start()
            self.target = self.another_target("sink")
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running, however impatient somebody is by now."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        try:
            self._opened.close()
        finally:
            end_all()

    def at_end(self, close: Callable[[], None]) -> None:
        """Whatever becomes of who asks for it."""
        self._opened.callback(close)

    def another_target(self, name: str) -> Target:
        target = Target(self.folder / f"{name}.log")
        self._opened.callback(target.program.stop)
        return target

    def database(self) -> str:
        """The URL of a new one without tables."""
        return self.postgres.url(self.postgres.create_database())

    def broker(self) -> str:
        """The URL of a Valkey that nobody else uses."""
        server = ValkeyServer()
        self._opened.callback(server.stop)
        self._brokers.append(server.start())
        return server.url

    def postgres_version(self) -> str:
        return str(_asked(self.postgres.url("postgres"), sa.text("SHOW server_version"), 0)[0][0])

    def servers_cpu_s(self) -> dict[str, float]:
        """Of the database and all brokers, so far."""
        postgres = int((self.postgres.home / "data" / "postmaster.pid").read_text().split()[0])
        spent = cpu_s({"database": postgres})
        return {**spent, "broker": sum(_broker_cpu_s(broker) for broker in self._brokers)}

    def note(self, scenario: str, who: str, number: int, figures: dict[str, float]) -> None:
        """Keep what one run brought, and say it."""
        self.keep(scenario, who, figures, number=number)
        told = ", ".join(f"{name} {short(value)}" for name, value in figures.items())
        self.say(f"  {who} · {number}: {told}")

    def keep(
        self, scenario: str, who: str, figures: dict[str, float], text: Sequence[str] = (), number: int = 1
    ) -> None:
        """Keep it without a word."""
        self.runs.append(Run(scenario, who, number, figures, tuple(text)))

    def say(self, words: str) -> None:
        """A line of progress, with the seconds since the beginning."""
        say(f"{self.elapsed_s:5.0f} s  {words}")

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began


def _broker_cpu_s(broker: ValkeyServer) -> float:
    with broker.client() as client:
        told: Any = client.info("cpu")
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])


def latencies(url: str, table: str, after: int, where: str = "true") -> list[float]:
    """What the rows behind `after` say, in ascending order."""
    query = sa.text(
        f"SELECT latency_s FROM {table} WHERE id > :after AND latency_s IS NOT NULL AND {where} ORDER BY 1"  # noqa: S608 - our own words
    )
    return [float(row[0]) for row in _asked(url, query, after)]


def newest(url: str, table: str) -> int:
    """The last row's number."""
    query = sa.text(f"SELECT coalesce(max(id), 0) FROM {table} WHERE id > :after")  # noqa: S608 - our own words
    return int(_asked(url, query, 0)[0][0])


def _asked(url: str, query: sa.TextClause, after: int) -> list[Any]:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(query, {"after": after}))
    finally:
        engine.dispose()


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
