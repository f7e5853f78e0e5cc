"""`make demo` as its users run it: a process of its own, without a terminal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo import play, scene
from tests.demo.styles import STYLES
from tests.fixtures.valkey import short_folder
from worker.stack.errors import StackError
from worker.stack.folders import locked
from worker.stack.leftovers import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 240.0
READY = "* seed the targets"


class Demo:
    """One demo in a session of its own; what it prints goes to a file."""

    def __init__(self, state_dir: Path, temporary: Path, *arguments: str) -> None:
        self.temporary = temporary
        self.output = temporary / "output"
        environ = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - the test's own words
                [sys.executable, "-m", "tests.demo", "--state", str(state_dir), *arguments],
                cwd=scene.ROOT,
                env={**environ, "TMPDIR": str(temporary), "HIREWIRE_TARGETS__STRAY__MODE": "enforce"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def end(self) -> int:
        return self.process.wait(LIMIT_S)

    def until(self, words: str) -> None:
        limit = time.monotonic() + LIMIT_S
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < limit, self.said()
            time.sleep(0.02)

    def pids(self) -> dict[str, int]:
        """Of the programs of its stack, supervisord included."""
        files = self.temporary.glob("hw-*/*.pid")
        return {file.stem: int(file.read_text()) for file in files}

    def left(self) -> list[str]:
        """What is still there of its temporary folders."""
        return sorted(path.name for path in self.temporary.iterdir() if path != self.output)


pytestmark = pytest.mark.slow


@pytest.fixture
def temporary() -> Iterator[Path]:
    folder = short_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A state folder far deeper than a socket's path may be, with spaces and a percent sign."""
    return tmp_path.joinpath(*["a folder with spaces and 100% depth"] * 5, "state")


def test_the_demo_keeps_its_promises(temporary: Path, deep: Path, tmp_path: Path) -> None:
    deep.mkdir(parents=True)
    (deep / "hirewire.db").write_text("what an earlier run left")
    demo = Demo(deep, temporary, "--json", str(tmp_path / "result.json"))
    code = demo.end()
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (code, result["ok"]) == (0, True), demo.said()
    _check(result)
    assert demo.left() == []
    for words in ("E1004, revision 5", "with that username already exists", "all is as it should be"):
        assert words in demo.said()


def _check(result: dict[str, Any]) -> None:
    assert result.keys() == {"ok", "events", "targets", "audit"}
    assert result["events"].keys() == {"accepted", "duplicates", "refused"}
    assert result["events"]["accepted"] >= 60
    assert result["events"]["duplicates"] >= 1
    assert result["audit"].keys() == {"records", "verified", "anchored"}
    assert result["audit"]["verified"] is True
    assert result["audit"]["anchored"] is True
    rows = result["targets"]
    assert {name: row["connector"] for name, row in rows.items()} == {name: name for name in STYLES}
    assert rows.keys() == {"django_admin", "staff_users", "awx", "authentik"}
    for row in rows.values():
        assert row.keys() == {"connector", "accounts", "patches", "coalesced", "held", "converged"}
        assert row["converged"] is True
        assert row["accounts"] >= 15
        assert 5 <= row["patches"] < result["events"]["accepted"]
    assert sum(row["held"] for row in rows.values()) >= 4
    assert sum(row["coalesced"] for row in rows.values()) >= 20
    assert result["audit"]["records"] > sum(row["patches"] for row in rows.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_leaves_nothing_running(
    temporary: Path, tmp_path: Path, number: signal.Signals
) -> None:
    demo = Demo(tmp_path / "state", temporary, "--json", str(tmp_path / "result.json"))
    demo.until(READY)
    pids = demo.pids()
    assert pids.keys() >= {"supervisord", "broker", "worker", "beat", *(f"sidecar-{name}" for name in STYLES)}
    os.killpg(demo.process.pid, number)
    assert demo.end() == 128 + number, demo.said()
    assert [name for name, pid in pids.items() if is_alive(pid)] == []
    assert demo.left() == []
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["ok"] is False


def test_the_state_of_an_earlier_run_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "worker.log").write_text("old")
    (tmp_path / "hirewire.db").write_text("old")
    play.empty(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_state_of_a_running_stack_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "hirewire.db").write_text("in use")
    with locked(tmp_path), pytest.raises(StackError, match="in use by another stack"):
        play.empty(tmp_path)
    assert (tmp_path / "hirewire.db").read_text() == "in use"
