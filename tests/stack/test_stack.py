"""A real stack of small programs: what starts, what is restarted, what stops in which order, what stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import requests

from tests.stack.conftest import LIMIT_S, PIECES, Launcher, all_pids
from tests.waiting import until
from worker.stack import broker, runtime
from worker.stack.leftovers import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.slow, pytest.mark.stack]


def assert_nothing_left(launcher: Launcher, *pids: int) -> None:
    for pid in (*pids, *all_pids(launcher)):
        until(lambda pid=pid: not is_alive(pid), f"process {pid} is gone")
    assert launcher.left() == []
    assert not (launcher.state_dir / "runtime.json").exists()


def base_url(launcher: Launcher) -> str:
    return launcher.runtime().environment["HIREWIRE_TARGETS__AWX_PROD__BASE_URL"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_api_then_beat_then_worker_then_sidecar_then_broker(
    launch: Callable[..., Launcher], number: signal.Signals
) -> None:
    launcher = launch()
    launcher.ready()
    assert requests.get(f"{base_url(launcher)}/me", timeout=30).text == "/api/me"
    owned = [launcher.pid_of("broker"), launcher.pid_of("supervisord")]
    os.killpg(launcher.process.pid, number)
    assert launcher.exit_code() == 0
    assert [line for line in launcher.journal() if line.startswith("stop")] == [
        "stop api broker=up",
        "stop beat broker=up",
        "stop worker broker=up",
        "stop sidecar broker=up",
    ]
    assert_nothing_left(launcher, *owned)


def test_an_impatient_ctrl_c_does_not_tear_the_stop(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.ready()
    os.killpg(launcher.process.pid, signal.SIGINT)
    while launcher.process.poll() is None:
        os.killpg(launcher.process.pid, signal.SIGINT)
        os.killpg(launcher.process.pid, signal.SIGTERM)
    assert launcher.exit_code() == 0
    assert "stop worker broker=up" in launcher.journal()
    assert_nothing_left(launcher)


def test_what_dies_is_started_again(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.ready()
    for name in ("worker", "beat", "sidecar"):
        os.kill(launcher.pids(name)[0], signal.SIGKILL)
        until(lambda name=name: len(launcher.pids(name)) == 2, f"{name} starts again")
    until(lambda: requests.get(base_url(launcher), timeout=30).ok, "the sidecar serves on its port again")


def test_a_killed_broker_comes_back_with_its_messages(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.ready()
    socket = launcher.runtime().broker_socket
    with redis.Redis(unix_socket_path=str(socket)) as client:
        client.lpush("celery", "message")
        assert client.execute_command("WAITAOF", 1, 0, 30_000)[0] == 1
        os.kill(launcher.pid_of("broker"), signal.SIGKILL)
        until(lambda: broker.answers(socket), "the broker answers again")
        assert client.lrange("celery", 0, -1) == [b"message"]


def test_any_path_will_do(launch: Callable[..., Launcher], tmp_path: Path) -> None:
    odd = tmp_path / "two  spaces, 50 %s %(here)s" / "a #b ;c \"d\" 'e' é" / ("deep" * 30) / ("deeper" * 20)
    launcher = launch(state_dir=odd / "var")
    launcher.ready()
    os.kill(launcher.process.pid, signal.SIGTERM)
    assert launcher.exit_code() == 0
    assert "stop worker broker=up" in launcher.journal()
    assert_nothing_left(launcher)


def test_a_second_stack_on_one_state_folder_is_refused(launch: Callable[..., Launcher]) -> None:
    first = launch()
    first.ready()
    second = launch()
    assert second.exit_code() == 1
    assert f"is in use by another stack (process {first.process.pid})" in second.said().splitlines()[-1]
    assert first.process.poll() is None
    assert broker.answers(first.runtime().broker_socket)


def test_an_orphaned_broker_is_shut_down_first(
    launch: Callable[..., Launcher], temporary: Path, tmp_path: Path
) -> None:
    state_dir, folder = tmp_path / "var", temporary / "hw-orphaned"
    (state_dir / broker.FOLDER).mkdir(parents=True)
    folder.mkdir()
    left = runtime.Runtime(launcher=1, folder=str(folder), environment={})
    runtime.write(state_dir, left)
    command = broker.command(left.broker_socket)
    orphan = subprocess.Popen(command, cwd=state_dir, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    until(lambda: broker.answers(left.broker_socket), "the orphan answers")
    launcher = launch(state_dir=state_dir)
    launcher.ready()
    assert orphan.wait(LIMIT_S) == 0
    assert not folder.exists()
    assert launcher.runtime().broker_socket.parent != folder
    launcher.process.terminate()
    assert launcher.exit_code() == 0
    assert_nothing_left(launcher)


def test_a_killed_launcher_takes_everything_with_it(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.ready()
    owned = [launcher.pid_of("broker"), launcher.pid_of("supervisord")]
    launcher.process.kill()
    launcher.process.wait(LIMIT_S)
    for pid in (*owned, *all_pids(launcher)):
        until(lambda pid=pid: not is_alive(pid), f"process {pid} is gone")
    assert "stop worker broker=up" in launcher.journal()
    again = launch()
    again.ready()


def test_a_killed_supervisor_ends_the_stack_and_leaves_nothing(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.ready()
    owned = launcher.pid_of("broker")
    os.kill(launcher.pid_of("supervisord"), signal.SIGKILL)
    assert launcher.exit_code() == 1
    assert "supervisord ended on its own" in launcher.said()
    assert any(line.startswith("stop worker") for line in launcher.journal())
    assert_nothing_left(launcher, owned)


def test_a_signal_while_starting_stops_all_the_same(launch: Callable[..., Launcher]) -> None:
    launcher = launch("sleep", "600")
    until(lambda: launcher.pids("sidecar"), "the sidecar runs")
    launcher.process.send_signal(signal.SIGTERM)
    assert launcher.exit_code() == 0
    assert launcher.pids("worker") == []
    assert_nothing_left(launcher)


def test_no_worker_starts_on_a_database_that_was_not_migrated(launch: Callable[..., Launcher]) -> None:
    launcher = launch("sh", "-c", "echo no such column; exit 3")
    assert launcher.exit_code() == 1
    assert "the database could not be migrated" in launcher.said()
    assert "no such column" in launcher.said()
    assert launcher.pids("worker") == []
    assert_nothing_left(launcher)


def test_a_command_in_another_terminal_finds_the_stack_while_it_runs(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.ready()
    found = runtime.overlay({}, launcher.state_dir)
    assert broker.answers(Path(found["HIREWIRE_BROKER__URL"].removeprefix("redis+socket://")))
    assert found["HIREWIRE_TARGETS__AWX_PROD__BASE_URL"].startswith("http://127.0.0.1:")
    explicit = {"HIREWIRE_BROKER__URL": "redis://elsewhere"}
    assert "HIREWIRE_BROKER__URL" not in runtime.overlay(explicit, launcher.state_dir)
    launcher.process.terminate()
    launcher.process.wait(LIMIT_S)
    assert runtime.overlay({}, launcher.state_dir) == {}


def test_a_taken_port_is_named_before_anything_starts(
    launch: Callable[..., Launcher], free_port: int
) -> None:
    fixed = PIECES.replace('path = "/api"', f'path = "/api"\nport = {free_port}')
    first = launch(config=fixed)
    first.ready()
    assert base_url(first) == f"http://127.0.0.1:{free_port}/api"
    second = launch(config=fixed, state_dir=first.state_dir.with_name("other"))
    assert second.exit_code() == 1
    assert f"port {free_port} of sidecar hello cannot be used" in second.said()
    assert second.pids("sidecar") == []


def test_sigterm_to_make_alone_stops_the_stack(temporary: Path, tmp_path: Path) -> None:
    (temporary / "Makefile").write_text(f"run:\n\t@exec '{sys.executable}' -m tests.stack.launch\n")
    launcher = Launcher(tmp_path / "var", temporary, ["make", "-f", str(temporary / "Makefile"), "run"])
    launcher.ready()
    launcher.process.terminate()
    launcher.exit_code()
    until(lambda: "stop worker broker=up" in launcher.journal(), "the worker stopped in order")
    until(lambda: launcher.left() == [], "the runtime folder is gone")
    assert_nothing_left(launcher)
