"""Start a whole stack, keep it, stop it: the one way, for `hirewire up` and for the demo.

Promises: one stack for each state folder; the database is migrated before the worker starts; the worker stops
before the broker; whatever ends the launcher, a SIGKILL on Linux included, no program and no socket stays.
Main thread only. Never daemonises, never touches a program that it did not start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from config.settings import Settings
from worker.stack import broker, leftovers, ports, runtime, supervision
from worker.stack.errors import StackError, StopRequested
from worker.stack.folders import RUNTIME_PREFIX, locked, runtime_folder
from worker.stack.interrupts import Interrupts
from worker.stack.programs import BROKER, Commands, Program, addresses, environment, programs

START_LIMIT_S: Final = 60.0
_LOOK_S = 0.05
_TAIL_LINES = 15
_TERM_PATIENCE_S = 10.0


class Stack:
    """Inside the `with`, every program runs. `environment` is what a command needs to reach them."""

    def __init__(
        self,
        settings: Settings,
        commands: Commands,
        *,
        config_path: Path | None,
        environ: Mapping[str, str],
        interrupts: Interrupts,
    ) -> None:
        self.environment = environment(settings, config_path, environ)
        self.state_dir = settings.state_dir.absolute()
        self._settings = settings
        self._commands = commands
        self._interrupts = interrupts
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Returns when all programs are ready. Raises `StackError`, or `StopRequested` after a signal."""
        try:
            self._start()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    @property
    def api_url(self) -> str:
        host = self._settings.api.host
        port = self.environment["HIREWIRE_API__PORT"]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def wait(self) -> None:
        """Until a signal asks for the end (`StopRequested`) or supervisord is gone (`StackError`)."""
        self._until(lambda: False, "end", None)

    def states(self) -> dict[str, str]:
        """Program -> supervisor's word for its state."""
        return self._supervisor.states()

    def _start(self) -> None:
        self._exits.enter_context(locked(self.state_dir))
        clear_leftovers(self.state_dir)
        folder = self._exits.enter_context(runtime_folder())
        chosen = ports.choose(self._settings.stack.sidecars)
        settings = ports.listening(self._settings, chosen.values())
        self._runtime = self._announced(settings, folder, chosen)
        self._programs = programs(settings, self._commands, chosen, self._runtime.broker_socket)
        (self.state_dir / broker.FOLDER).mkdir(mode=0o700, exist_ok=True)
        self._supervisor = supervision.launch(self._programs, folder, self.state_dir, self.environment)
        self._exits.callback(self._stop)
        self._migrate()
        self._until(lambda: bool(self.states()), supervision.SUPERVISOR)
        self._make_ready([program for program in self._programs if program.early])
        late = [program for program in self._programs if not program.early]
        for program in late:
            self._supervisor.start(program.name)
        self._make_ready(late)

    def _announced(self, settings: Settings, folder: Path, chosen: Mapping[str, int]) -> runtime.Runtime:
        socket = folder / "valkey.sock"
        found = addresses(settings, chosen, socket)
        self.environment |= found
        self._exits.callback(runtime.remove, self.state_dir)
        announced = runtime.Runtime(launcher=os.getpid(), folder=str(folder), environment=found)
        runtime.write(self.state_dir, announced)
        return announced

    def _migrate(self) -> None:
        with (self.state_dir / supervision.LOGS / "migrate.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - given by the caller, no shell
                self._commands.migrate,
                cwd=self.state_dir,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._until(lambda: process.poll() is not None, "migrate")
        finally:
            _end(process)
        if process.returncode:
            raise StackError(f"the database could not be migrated\n{self._tail('migrate')}")

    def _make_ready(self, awaited: Sequence[Program]) -> None:
        for program in awaited:
            self._until(partial(self._is_ready, program), program.name)
        self._interrupts.check()

    def _is_ready(self, program: Program) -> bool:
        if program.name == BROKER:
            return broker.answers(self._runtime.broker_socket)
        running = self._supervisor.states().get(program.name) == "RUNNING"
        return running and (program.port is None or ports.accepts(program.port))

    def _until(self, done: Callable[[], bool], name: str, limit_s: float | None = START_LIMIT_S) -> None:
        began = time.monotonic()
        while not done():
            self._interrupts.check()
            if self._supervisor.died():
                raise StackError(f"supervisord ended on its own\n{self._tail(supervision.SUPERVISOR)}")
            if limit_s is not None and time.monotonic() - began > limit_s:
                raise StackError(f"{name} was not ready after {limit_s:.0f} s\n{self._tail(name)}")
            time.sleep(_LOOK_S)

    def _tail(self, name: str) -> str:
        file = self.state_dir / supervision.LOGS / f"{name}.log"
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
        return "\n".join([f"({file})", *lines[-_TAIL_LINES:]])

    def _stop(self) -> None:
        """A supervisord that was killed leaves programs: they have their SIGTERM already, or get it now."""
        self._supervisor.stop()
        leftovers.end(
            Path(self._runtime.folder),
            [program.name for program in self._programs],
            self._supervisor.stop_limit_s,
        )
        broker.shut_down(self._runtime.broker_socket)


def run_stack(
    settings: Settings,
    commands: Commands,
    *,
    config_path: Path | None,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    """Keep a stack in the foreground until a signal. The exit code; 0 after an orderly stop."""
    with Interrupts() as interrupts:
        stack = Stack(settings, commands, config_path=config_path, environ=environ, interrupts=interrupts)
        try:
            with stack:
                say(f"HTTP interface on {stack.api_url}")
                say(f"running; logs in {stack.state_dir / supervision.LOGS}; Ctrl-C stops")
                _wait(stack, say)
        except StopRequested:
            say("stopped")
            return 0
        except StackError as error:
            say(f"hirewire: {error}")
            return 1
    return 1


def _wait(stack: Stack, say: Callable[[str], None]) -> None:
    try:
        stack.wait()
    except StopRequested:
        say("stopping; requests in flight are finished first")
        raise


def clear_leftovers(state_dir: Path) -> None:
    """Only under the lock: end what a killed stack left running, and remove its runtime folder."""
    left = runtime.read(state_dir)
    if left is None:
        return
    folder = Path(left.folder)
    supervision.end_leftover(folder)
    broker.shut_down(left.broker_socket)
    if folder.name.startswith(RUNTIME_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
    runtime.remove(state_dir)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Of a program that is no longer waited for."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_TERM_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
