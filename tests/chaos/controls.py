"""`python -m tests.chaos.controls [NAME …]`: the checker must notice each engine that is broken on purpose.

Each runs 1,000 events on the served set-up and ends at its first violation, or when it has not converged.
Exit code 0 only if every variant was caught, and by the invariant that belongs to it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.profile import Kills, Profile
from tests.chaos.run import Result, Run
from tests.chaos.setups import Served, SetUp
from tests.chaos.variants import VARIANTS
from worker.stack.errors import StopRequested
from worker.stack.interrupts import Interrupts

EVENTS, PEOPLE, MINUTES, PORTIONS = 1_000, 60, 0.15, 6
_GENTLE = Kills(worker=(5.0, 7.0), broker=None, database=None)
_NONE = Kills(worker=None, broker=None, database=None)


@dataclass(frozen=True, slots=True)
class Control:
    """`caught_by`: one of these invariants must be violated; empty: none may.

    `kills` and `portions` are what the defect needs to show.
    """

    name: str
    caught_by: frozenset[str]
    kills: Kills = _NONE
    converge_s: float = 7.0
    portions: int = PORTIONS


CONTROLS = (
    Control("relay_off", frozenset({"lost"}), Kills(worker=(3.0, 4.0), broker=(4.0, 5.0), database=None)),
    Control("read_back_off", frozenset({"repeated_ratio", "stale_writes"}), portions=10),
    Control("ordering_off", frozenset({"stale_writes"})),
    Control("settles_current", frozenset({"lost"}), portions=8),
    Control("intent_after_send", frozenset({"unaudited_requests"}), _GENTLE),
    Control("sound", frozenset(), _GENTLE, converge_s=60.0),  # only when named
)


def play(control: Control, seed: int, folder: Path, interrupts: Interrupts) -> Result:
    """One control to its end."""
    profile = Profile(
        seed,
        EVENTS,
        PEOPLE,
        MINUTES,
        control.portions,
        control.kills,
        control.converge_s,
    )

    def build(place: Path, config: Path, secrets: Mapping[str, str]) -> SetUp:
        return Served(place, config, secrets, (sys.executable, "-m", "tests.chaos.variants", control.name))

    return Run(control.name, profile, folder / control.name, _say, interrupts, early=True).play(build)


def verdict(control: Control, result: Result) -> str | None:
    """What is wrong with the checker; None where it noticed as it should."""
    found = {violation.invariant for violation in result.violations}
    if found & control.caught_by or found == control.caught_by:
        return None
    return (
        f"{control.name} passed as right"
        if not found
        else f"{control.name} was caught by {sorted(found)} only"
    )


def main() -> int:
    arguments = _arguments()
    folder = Path(mkdtemp(prefix="hw-controls-"))
    problems: list[str] = []
    with Interrupts() as interrupts:
        try:
            for control in CONTROLS:
                if control.name in arguments.names or (control.caught_by and not arguments.names):
                    problems += _one(control, arguments.seed, folder, interrupts)
        except StopRequested as request:
            return request.exit_code
        finally:
            if not arguments.keep:
                shutil.rmtree(folder, ignore_errors=True)
    for problem in problems:
        _say(f"VIOLATION {problem}")
    return 1 if problems else 0


def _one(control: Control, seed: int, folder: Path, interrupts: Interrupts) -> list[str]:
    began = time.monotonic()
    result = play(control, seed, folder, interrupts)
    problem = verdict(control, result)
    words = f"{result.violations[0]}" if result.violations else "nothing was violated"
    caught = "NOT as it should be" if problem else "caught" if result.violations else "held"
    _say(f"{control.name}: {caught} after {time.monotonic() - began:.0f} s: {words}")
    return [problem] if problem else []


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.controls", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(VARIANTS)}; default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and events")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
