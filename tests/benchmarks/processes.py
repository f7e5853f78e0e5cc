"""Programs of a benchmark: started, asked by lines, stopped, and what processor time they took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.demo.scene import ROOT

_STOP_S = 60.0
_READY_S = 60.0
_KILLED_S = 10.0
_ALIVE: set[Program] = set()
_TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """`python -m WORDS`, in a session of its own; what it says on standard error goes into `log`."""

    def __init__(self, *words: str, log: Path, **environ: str) -> None:
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        _ALIVE.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def line(self) -> str:
        """The next one that it says; an error with its log where it ended instead."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"a program of the benchmark ended: {self._tail()}")
        return said.strip()

    def told(self) -> Any:
        return json.loads(self.line())

    def logged(self, word: str) -> None:
        """Return once `word` stands in its log."""
        limit = time.monotonic() + _READY_S
        while word not in self.log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"never in the log: {word!r}: {self._tail()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """In order; by force after a while, or where it left something behind."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.end()

    def end(self) -> None:
        """By force, with all that it has started and that did not go away from it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(_KILLED_S)
        _ALIVE.discard(self)

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def end_all() -> None:
    """Whoever was started and not stopped: a start that failed half-way, a stop that was cut short."""
    for program in [*_ALIVE]:
        program.end()


def cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds of each process and all that it has started, ended ones included."""
    return {name: sum(map(_own_cpu_s, tree(pid))) for name, pid in pids.items()}


def tree(pid: int) -> Iterator[int]:
    """The process and what it has started."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from tree(child)


def _own_cpu_s(pid: int) -> float:
    """User and system, and those of children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS
