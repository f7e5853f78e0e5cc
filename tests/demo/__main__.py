"""`make demo`: exit code 0 only if everything is as it should be.

A signal ends it in order: what it started is stopped first, then it exits with 128 + the signal's number.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import requests
from rich.console import Console

from tests.demo import scene
from tests.demo.commands import CommandError
from tests.demo.play import play
from tests.demo.screen import Screen
from tests.demo.verdict import Result
from worker.stack.errors import StackError, StopRequested
from worker.stack.interrupts import Interrupts


def main() -> int:
    arguments = _arguments()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    screen = Screen(Console())
    result = Result()
    began = time.monotonic()
    with Interrupts() as interrupts:
        try:
            play(scene.load(), arguments.state.absolute(), screen, interrupts, result)
        except StopRequested as request:
            screen.trouble("stopped on request, nothing is left running")
            return request.exit_code
        except (StackError, CommandError, requests.RequestException) as error:
            result.problems.append(str(error))
        finally:
            _write(arguments.json, result)
    screen.verdict(result, time.monotonic() - began)
    return 0 if result.ok else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo", description="The whole job against reference targets, in a minute."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        default=scene.ROOT / "build" / "demo",
        help="the state folder, emptied at the start (default: build/demo)",
    )
    return parser.parse_args()


def _write(file: Path | None, result: Result) -> None:
    if file is not None:
        file.write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
