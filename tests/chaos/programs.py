"""Hirewire's own programs as real processes: started, killed in different ways, started again, cleaned up.

Each runs in a session of its own, so that a kill reaches what is meant and nothing else. What a killed parent
left behind is known by the state folder in its environment, and ended with the run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.demo.scene import ROOT
from worker.stack.leftovers import is_alive

HIREWIRE = (sys.executable, "-m", "worker.cli.main")
STATE_VARIABLE = "HIREWIRE_STATE_DIR"
_STOP_S = 20.0
_NOT_THEIRS = ("HIREWIRE_", "COVERAGE_", "PYTHONDONTWRITEBYTECODE")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours without what would change a program's behaviour, and `more`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THEIRS)}
    return {**ours, **more}


class Program:
    """One program that is to run. For one thread at a time."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.fell = 0  # how often it ended although nobody killed it

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                self._command,
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ensure(self) -> None:
        """As a supervisor does: running again if it ended."""
        if self._process is None or self._process.poll() is not None:
            self.fell += self._process is not None
            self.start()

    def kill_all(self) -> None:
        """It and its children at once, as a container's end does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._restart()

    def kill_parent(self) -> None:
        """Its first process only; the children do not know it and may finish what they do."""
        self._running.kill()
        self._restart()

    def kill_child(self) -> bool:
        """One child, as the kernel does when memory is short; the parent must notice. False: it has none."""
        children = _children(self._running.pid)
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(children[-1], signal.SIGKILL)
        return bool(children)

    def tell_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """In order; by force after a while."""
        if self._process is None:
            return
        self.tell_to_stop()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _restart(self) -> None:
        self._running.wait()
        self.start()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def end_leftovers(state_dir: Path) -> int:
    """Kill every process whose environment names this state folder; how many there were."""
    found = list(_named(state_dir))
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    limit = time.monotonic() + _STOP_S
    while any(is_alive(pid) for pid in found) and time.monotonic() < limit:
        time.sleep(0.02)
    return len(found)


def _named(state_dir: Path) -> Iterator[int]:
    needle = f"{STATE_VARIABLE}={state_dir}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if needle in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
