"""`python -m tests.stack.launch [MIGRATE…]`: a stack of small programs in the foreground."""

from __future__ import annotations

import os
import sys

from config.settings import load
from worker.stack.launcher import run_stack
from worker.stack.programs import Commands


def program(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.stack.program", name)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(migrate: list[str]) -> int:
    commands = Commands(
        migrate=migrate or ["true"],
        worker=program("worker"),
        beat=program("beat"),
        api=(sys.executable, "-m", "tests.stack.program", "api", "HIREWIRE_API__PORT"),
    )
    return run_stack(load(), commands, config_path=None, environ=os.environ, say=say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
