"""The play: set up, seed, arm, send, settle, send and settle once more, read back, tell, verify, stop.

Raises StackError, CommandError or requests' RequestException where a step fails, and StopRequested after a
signal; whatever ends it, every program that it started is stopped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.settings import load
from tests.demo.acts import Acts
from tests.demo.scene import CONFIGURATION, EVENTS, LATER, Scene
from tests.demo.screen import Screen
from tests.demo.verdict import Result
from worker.stack.folders import locked
from worker.stack.interrupts import Interrupts
from worker.stack.launcher import Stack, clear_leftovers
from worker.stack.programs import hirewire_commands
from worker.storage.signing import new_key


def play(scene: Scene, state_dir: Path, screen: Screen, interrupts: Interrupts, result: Result) -> None:
    """All of it; `result` grows on the way."""
    empty(state_dir)
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("HIREWIRE_")}
    environ = {
        **foreign,
        "HIREWIRE_STATE_DIR": str(state_dir),
        "HIREWIRE_API__PORT": "0",
        "HIREWIRE_AUDIT__SIGNING_KEY_FILE": str(signing_key(state_dir)),
    }
    stack = Stack(
        load(CONFIGURATION, environ),
        hirewire_commands(),
        config_path=CONFIGURATION,
        environ=environ,
        interrupts=interrupts,
    )
    with _running(stack, screen), interrupts.raising():
        acts = Acts(scene, stack.environment, screen, result)
        acts.seed()
        acts.anchor()
        acts.send(EVENTS)
        acts.settle()
        acts.send(LATER)
        acts.compare(acts.settle())
        acts.tell()
        acts.verify()
    result.finished = True


def signing_key(state_dir: Path) -> Path:
    """A key for the checkpoints of this one demo."""
    path = state_dir / "audit_key"
    path.touch(mode=0o600)
    path.write_text(new_key()[0], encoding="ascii")
    return path


def empty(state_dir: Path) -> None:
    """Throw the state of an earlier run away. Raises StackError while a stack runs on it."""
    with locked(state_dir):
        clear_leftovers(state_dir)
        for path in state_dir.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()


@contextmanager
def _running(stack: Stack, screen: Screen) -> Iterator[None]:
    with ExitStack() as exits:
        with screen.step("set up broker, database, reference targets, worker and beat") as step:
            exits.enter_context(stack)
            step.end(f"{len(stack.states())} programs run")
        try:
            yield
        finally:
            with screen.step("stop everything"):
                exits.close()
