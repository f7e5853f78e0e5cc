"""What a run of the benchmarks leaves: one file of JSON, and two tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.goals import judged
from tests.benchmarks.measures import Goal, Run, summary, table
from tests.benchmarks.running import Failed

FIGURES = ("scenario", "who", "figure", "median (least to most)")
GOALS = ("goal", "wanted", "measured", "")


@dataclass(frozen=True, slots=True)
class Result:
    runs: Sequence[Run]
    failed: Sequence[Failed]
    machine: Mapping[str, Any]
    seconds: float

    @property
    def goals(self) -> list[Goal]:
        """Those of the scenarios that ran to their end, and one that is missed for each that did not."""
        broken = {name for one in self.failed for name in one.scenario.told}
        whole = [run for run in self.runs if run.scenario not in broken]
        missed = [Goal(f"{one.scenario.name} runs to its end", "yes", one.why, False) for one in self.failed]
        return [*judged(whole), *missed]


def write(file: Path, result: Result) -> None:
    told = {
        "goals": [goal.as_json() for goal in result.goals],
        "runs": [run.as_json() for run in result.runs],
        "machine": dict(result.machine),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def told(result: Result) -> str:
    """For a terminal."""
    goals = result.goals
    met = sum(goal.met for goal in goals)
    return "\n\n".join(
        [
            table(FIGURES, summary(result.runs)),
            table(GOALS, rows(goals)),
            f"{met} of {len(goals)} goals met, {len(result.failed)} scenarios failed, {result.seconds:.0f} s",
        ]
    )


def rows(goals: Sequence[Goal]) -> list[list[str]]:
    return [[goal.name, goal.goal, goal.measured, "met" if goal.met else "MISSED"] for goal in goals]
