"""Launchers as processes of their own, and what they leave behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.valkey import short_folder
from tests.waiting import until
from worker.stack import runtime
from worker.stack.leftovers import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT_S = 90.0
PIECES = """
[api]
port = 0

[stack.sidecars.hello]
command = ["{python}", "-m", "tests.stack.program", "sidecar", "{port}"]
target = "awx_prod"
path = "/api"

[targets.awx_prod]
connector = "awx"
credential = { scheme = "bearer", secret = "canary-secret" }
"""


class Launcher:
    """One launcher process in a session of its own, as `make` would start it from a terminal."""

    def __init__(self, state_dir: Path, temporary: Path, command: list[str], config: str = PIECES) -> None:
        self.state_dir = state_dir
        self.temporary = temporary
        state_dir.parent.mkdir(parents=True, exist_ok=True)
        configuration = temporary / "hirewire.toml"
        configuration.write_text(config)
        environ = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        environ |= {"TMPDIR": str(temporary), "HIREWIRE_STATE_DIR": str(state_dir)}
        environ |= {"HIREWIRE_CONFIG": str(configuration)}
        self.output = temporary / "output"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - the test's own words
                command, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def said(self) -> str:
        return self.output.read_text()

    def journal(self) -> list[str]:
        file = self.state_dir / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def pids(self, name: str) -> list[int]:
        """Of each start of the program, the last one last."""
        starts = [line.split() for line in self.journal()]
        return [int(words[2]) for words in starts if words[:2] == ["start", name]]

    def runtime(self) -> runtime.Runtime:
        found = runtime.read(self.state_dir)
        assert found is not None
        return found

    def pid_of(self, name: str) -> int:
        """From the runtime folder: of broker and supervisord too."""
        return int((Path(self.runtime().folder) / f"{name}.pid").read_text())

    def ready(self) -> None:
        until(lambda: "running;" in self.said() or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.said()
        for name in ("sidecar", "worker", "beat", "api"):
            until(lambda name=name: self.pids(name), f"{name} has started")

    def exit_code(self) -> int:
        return self.process.wait(LIMIT_S)

    def left(self) -> list[str]:
        """Runtime folders that are still there."""
        return [path.name for path in self.temporary.iterdir() if path.name.startswith("hw-")]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short temporary folder for launchers, so that tests see what they leave there."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def launch(temporary: Path, tmp_path: Path) -> Iterator[Callable[..., Launcher]]:
    """Start a launcher; `migrate` is its migration, `state_dir` its state folder."""
    started: list[Launcher] = []

    def start(*migrate: str, state_dir: Path = tmp_path / "var", config: str = PIECES) -> Launcher:
        command = [sys.executable, "-m", "tests.stack.launch", *migrate]
        started.append(Launcher(state_dir, temporary, command, config))
        return started[-1]

    yield start
    for launcher in started:
        if launcher.process.poll() is None:
            launcher.process.send_signal(signal.SIGTERM)
        launcher.process.wait(LIMIT_S)
        until(lambda: not any(is_alive(pid) for pid in all_pids(launcher)), "everything stopped")  # noqa: B023 - used at once


def all_pids(launcher: Launcher) -> list[int]:
    return [pid for name in ("sidecar", "worker", "beat", "api") for pid in launcher.pids(name)]
