"""`make bench` and `make bench-full`: scenarios, a table, `build/bench.json`, and what the documents show."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.benchmarks import pictures, profiling, report, written
from tests.benchmarks.ceiling import ceiling
from tests.benchmarks.machine import described
from tests.benchmarks.running import Running
from tests.benchmarks.scenarios import SCENARIOS, SIZES, costs
from tests.benchmarks.stage import Stage, say
from tests.demo.scene import ROOT

BUILD = ROOT / "build"
_USUAL = {False: (3, 5.0, 8.0), True: (5, 15.0, 60.0)}
"""Rounds, seconds of a measurement, minutes of everything; by whether it is the full run."""

_PROFILED = {False: 3_000, True: 10_000}
_EXITS = """
Exit code 0: every scenario ran to its end, whatever was measured; goals that are missed are told in the table
and in the file, and fail nothing. 1: a scenario failed or was left out for want of time; it is named, and
judged as missed. 130, 143: stopped by a signal, nothing was written. Never is a process left behind.

Without --only the tables and pictures in docs/benchmarks are written anew, unless a scenario failed.
"""


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _profile(arguments) if arguments.profile else _bench(arguments)
    except KeyboardInterrupt:
        say("stopped on request, nothing is left running")
        return 130


def _bench(arguments: argparse.Namespace) -> int:
    chosen = [one for one in SCENARIOS if not arguments.only or one.name in arguments.only]
    with Stage(arguments.seconds, arguments.rounds, sorted(arguments.sizes)) as stage:
        machine = described(stage)
        say(json.dumps(machine))
        found = ceiling(stage.target.port, min(2.0, arguments.seconds))
        stage.note("sink alone", "raw sockets", 1, {"per_s": found})
        running = Running(stage, costs(stage.sizes), arguments.minutes * 60, arguments.seconds)
        running.play(chosen)
        result = report.Result(stage.runs, running.failed, machine, stage.elapsed_s)
    report.write(arguments.json, result)
    say(f"\n{report.told(result)}\n{arguments.json}")
    if not arguments.only and not running.failed:
        pictures.draw(arguments.json)
    return 1 if running.failed else 0


def _profile(arguments: argparse.Namespace) -> int:
    with Stage(arguments.seconds, 1, ()) as stage:
        machine = described(stage)
        profile = profiling.profiled(stage, _PROFILED[arguments.full])
    file = BUILD / "profile.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(profiling.as_json(profile, machine), indent=1) + "\n", encoding="utf-8")
    say(f"{profiling.told(profile)}\n\n{file}")
    written.profile(profile, machine)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Hirewire beside what people would write.",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [one.name for one in SCENARIOS]
    parser.add_argument("--full", action="store_true", help="as `make bench-full`: larger and longer")
    parser.add_argument("--profile", action="store_true", help="only where the processor time goes, by stage")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="one of %(choices)s")
    parser.add_argument("--rounds", type=int, help="default 3, full 5")
    parser.add_argument("--seconds", type=float, help="of one measurement at most: default 5, full 15")
    parser.add_argument("--minutes", type=float, help="of everything: default 8, full 60")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="ACCOUNTS", help="to grow to")
    parser.add_argument("--json", type=Path, default=BUILD / "bench.json", metavar="FILE")
    return _with_defaults(parser.parse_args())


def _with_defaults(arguments: argparse.Namespace) -> argparse.Namespace:
    rounds, seconds, minutes = _USUAL[arguments.full]
    arguments.rounds = arguments.rounds or rounds
    arguments.seconds = arguments.seconds or seconds
    arguments.minutes = arguments.minutes or minutes
    arguments.sizes = arguments.sizes or SIZES[arguments.full]
    return arguments


if __name__ == "__main__":
    sys.exit(main())
