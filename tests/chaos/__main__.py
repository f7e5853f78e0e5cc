"""`make chaos`: exit code 0 only if nothing was lost, sent back, unaudited or let through.

The last line is one JSON object; progress and violations stand before it, the whole result in a file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos import profile, report
from tests.chaos.evidence import Violation
from tests.chaos.run import Result, Run
from tests.chaos.setups import Embedded, Served
from tests.demo.scene import ROOT
from worker.stack.errors import StopRequested
from worker.stack.interrupts import Interrupts

_SHOWN = 40


def main() -> int:
    arguments = _arguments()
    began = time.monotonic()
    results: list[Result] = []
    folder = Path(mkdtemp(prefix="hw-chaos-"))
    plans = {
        "served": (profile.served(arguments.seed, arguments.events, arguments.minutes), Served),
        "embedded": (profile.embedded(arguments.seed, arguments.events, arguments.minutes), Embedded),
    }
    with Interrupts() as interrupts:
        try:
            for name in arguments.only or plans:
                plan, build = plans[name]
                plan = replace(plan, kills=plan.kills.stretched(arguments.pause))
                results.append(Run(name, plan, folder / name, _say, interrupts).play(build))
        except StopRequested as request:
            _say("stopped on request, nothing is left running")
            return request.exit_code
        finally:
            if not arguments.keep:
                shutil.rmtree(folder, ignore_errors=True)
    violations = [item for result in results for item in result.violations]
    floors = {name: plan.least_kills for name, (plan, _) in plans.items()}
    violations += report.short_of(results, floors, arguments.events, arguments.minutes)
    report.write(arguments.json, arguments.seed, results, violations, time.monotonic() - began)
    _tell(results, violations, time.monotonic() - began)
    return 1 if violations else 0


def _tell(results: list[Result], violations: list[Violation], seconds: float) -> None:
    told = report.line(results, violations)
    for kind, count in told["faults"].items():
        _say(f"delivered: {count} x {kind}")
    for violation in violations[:_SHOWN]:
        _say(f"VIOLATION {violation}")
    if len(violations) > _SHOWN:
        _say(f"and {len(violations) - _SHOWN} more")
    _say(f"{'FAILED' if violations else 'held'} after {seconds:.0f} s")
    _say(json.dumps(told))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description="The whole job under faults and kills.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=profile.FULL_EVENTS)
    parser.add_argument("--minutes", type=float, default=profile.FULL_MINUTES)
    parser.add_argument(
        "--pause", type=float, default=1.0, metavar="FACTOR", help="longer pauses between the kills"
    )
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "chaos.json", metavar="FILE")
    parser.add_argument(
        "--only", action="append", choices=("served", "embedded"), help="one set-up of the two"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and events")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
