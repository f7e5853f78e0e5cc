"""What programs are told, where their sockets lie, who ends what is left: the parts of the stack."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings, load
from tests.waiting import until
from worker.stack import leftovers, ports, runtime, supervision
from worker.stack.errors import StackError, StopRequested
from worker.stack.folders import LONGEST_SOCKET, is_locked, locked, runtime_folder
from worker.stack.interrupts import Interrupts
from worker.stack.launcher import clear_leftovers
from worker.stack.programs import Commands, addresses, environment, hirewire_commands, programs

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET = Path("/short/valkey.sock")
COMMANDS = Commands(migrate=["m"], worker=["w"], beat=["b"], api=["a"])
TOML = """
[stack.sidecars.one]
command = ["{python}", "-x", "{port}", "{other}"]
target = "awx_prod"
path = "/api"
[stack.sidecars.two]
command = ["tunnel"]
[targets.awx_prod]
connector = "awx"
credential = { scheme = "bearer", secret_file = "token" }
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "token").write_text("t")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "hirewire.toml").write_text(TOML)
    return load(tmp_path / "hirewire.toml", {})


@pytest.fixture(autouse=True)
def _former_signals() -> Iterator[None]:
    """After a request they stay ignored, as in a process that ends; this one goes on."""
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A program that does not listen to SIGTERM."""
    code = "from signal import *; signal(SIGTERM, SIG_IGN); print('on', flush=True); pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:  # noqa: S603 - our own words
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        yield process
        process.kill()


def test_api_worker_and_beat_stop_before_sidecars_and_these_before_the_broker(settings: Settings) -> None:
    found = programs(settings, COMMANDS, {"one": 7, "two": 8}, SOCKET)
    assert [(program.name, program.rank, program.stop_wait_s) for program in found] == [
        ("broker", 0, 10),
        ("sidecar-one", 1, 10),
        ("sidecar-two", 1, 10),
        ("worker", 2, 45),
        ("beat", 3, 10),
        ("api", 4, 30),
    ]


def test_a_sidecar_is_told_its_port_and_our_python(settings: Settings) -> None:
    found = {program.name: program for program in programs(settings, COMMANDS, {"one": 7, "two": 8}, SOCKET)}
    assert found["sidecar-one"].command == (sys.executable, "-x", "7", "{other}")
    assert (found["sidecar-one"].port, found["sidecar-two"].port) == (7, None)


def test_a_foreign_broker_is_neither_started_nor_announced(settings: Settings) -> None:
    foreign = settings.model_copy(update={"broker": settings.broker.model_copy(update={"url": "redis://mq"})})
    assert "broker" not in {
        program.name for program in programs(foreign, COMMANDS, {"one": 7, "two": 8}, SOCKET)
    }
    assert addresses(foreign, {"one": 7, "two": 8}, SOCKET) == {
        "HIREWIRE_API__PORT": "8080",
        "HIREWIRE_TARGETS__AWX_PROD__BASE_URL": "http://127.0.0.1:7/api",
    }


def test_programs_load_the_same_configuration_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Their working folder is the state folder, so what an operator wrote relative must not stay so."""
    monkeypatch.chdir(tmp_path)
    environ = {
        "HIREWIRE_DATABASE__URL": "sqlite:///mine.db",
        "HIREWIRE_STATE_DIR": "state",
        "HIREWIRE_TARGETS__AWX_PROD__CREDENTIAL__SECRET_FILE": "token",
        "HIREWIRE_TARGETS__AWX_PROD__BASE_URL": "https://awx.example.com",
    }
    ours = load(Path("hirewire.toml"), environ)
    told = environment(ours, Path("hirewire.toml"), environ)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(None, told) == ours
    assert ours.targets["awx_prod"].read_secret() == "t"
    assert settings.state_dir == tmp_path / "var"


def test_hirewire_commands_call_this_python() -> None:
    commands = hirewire_commands()
    assert list(commands.worker) == [sys.executable, "-m", "worker.cli.main", "worker"]
    rest = (commands.migrate, commands.beat, commands.api)
    assert [command[-1] for command in rest] == ["migrate", "beat", "api"]


def test_free_ports_differ() -> None:
    toml = {name: {"command": ["x"]} for name in ("a", "b", "c")}
    chosen = ports.choose(Settings.model_validate({"stack": {"sidecars": toml}}).stack.sidecars)
    assert len({*chosen.values()}) == 3


def test_the_api_gets_its_own_port_or_a_free_one() -> None:
    free = ports.listening(Settings.model_validate({"api": {"port": 0}})).api.port
    assert free > 0
    assert ports.listening(Settings.model_validate({"api": {"port": free}})).api.port == free


def test_a_port_of_the_api_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} of api cannot be used"):
            ports.listening(Settings.model_validate({"api": {"port": port}}))


def test_sockets_fit_even_below_a_deep_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    monkeypatch.setenv("TMPDIR", str(deep))
    with runtime_folder() as folder:
        assert len(str(folder / "supervisor.sock")) <= LONGEST_SOCKET
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_the_lock_is_seen_while_it_is_held_and_only_then(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
        with (
            pytest.raises(StackError, match=f"in use by another stack .process {os.getpid()}"),
            locked(tmp_path),
        ):
            pass
    assert not is_locked(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"launcher": "x", "folder": 1, "environment": {}}'])
def test_a_runtime_file_that_we_did_not_write_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / runtime.FILE).write_text(text)
    assert runtime.read(tmp_path) is None
    clear_leftovers(tmp_path)
    with locked(tmp_path):
        assert runtime.overlay({}, tmp_path) == {}


def test_a_folder_that_is_not_ours_is_not_removed(tmp_path: Path) -> None:
    theirs = tmp_path / "photos"
    theirs.mkdir()
    runtime.write(tmp_path, runtime.Runtime(launcher=1, folder=str(theirs), environment={}))
    clear_leftovers(tmp_path)
    assert theirs.exists()
    assert runtime.read(tmp_path) is None


def test_the_first_signal_raises_where_that_is_safe_and_the_second_does_nothing() -> None:
    with Interrupts() as interrupts:
        interrupts.check()
        os.kill(os.getpid(), signal.SIGHUP)
        assert interrupts.requested
        with pytest.raises(StopRequested) as noted, interrupts.raising():
            pytest.fail("a noted signal raises at once")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopRequested) as checked:
            interrupts.check()
    assert noted.value.exit_code == checked.value.exit_code == 129


def test_a_signal_raises_in_the_middle_of_work() -> None:
    with Interrupts() as interrupts, pytest.raises(StopRequested) as caught, interrupts.raising():
        os.kill(os.getpid(), signal.SIGTERM)
    assert str(caught.value) == "SIGTERM"


def test_without_a_signal_the_former_handlers_are_back() -> None:
    former = signal.getsignal(signal.SIGINT)
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) != former
    assert signal.getsignal(signal.SIGINT) == former


def test_nohup_keeps_its_meaning() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupts.requested
    finally:
        signal.signal(signal.SIGHUP, former)


def test_a_program_that_does_not_listen_is_killed_in_the_end(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "worker.pid").write_text(str(sleeper.pid))
    (tmp_path / "beat.pid").write_text("no number")
    leftovers.end(tmp_path, ["broker", "worker", "beat"], 0.1)
    assert sleeper.wait(60) == -signal.SIGKILL


def test_a_program_that_waits_to_be_collected_is_gone() -> None:
    with subprocess.Popen(["true"]) as process:  # noqa: S607 - any of them
        until(lambda: not leftovers.is_alive(process.pid), "it has ended")


def test_a_supervisor_that_outlived_its_launcher_is_stopped(tmp_path: Path) -> None:
    """On Linux the kernel does it; elsewhere the next launcher."""
    with runtime_folder() as folder:
        supervisor = supervision.launch([], folder, tmp_path, os.environ)
        until((folder / "supervisor.sock").exists, "supervisord listens")
        supervision.end_leftover(folder)
        assert supervisor.process.wait(20) == 0
        supervision.end_leftover(folder)


def test_a_configuration_line_holds_no_path() -> None:
    text = supervision.render(programs(Settings(), COMMANDS, {}, Path("/a b/%c;#/valkey.sock")))
    assert "valkey.sock" not in text
    assert sys.executable not in text
    assert "command=%(ENV_HW_BOUND)s worker\n" in text
