"""Where Hirewire's processor time goes at 0 ms, stage by stage: `python -m tests.benchmarks --profile`.

Worker, beat and feeder run under `sampled`; one burst of events is measured, the ones before it warm them up.
The times are those of their own code: what database and broker spend meanwhile is told beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.measures import short, table
from tests.benchmarks.patches import burst
from tests.benchmarks.processes import tree
from tests.benchmarks.sides import Hirewire
from tests.benchmarks.stage import Stage
from tests.benchmarks.stages import STAGES, Costs

SCENARIO = "profile at 0 ms"
PEOPLE = 20_000
_WARM = 500
_TELL_S = 10.0
_TOP = 30
_TOP_OF_A_STAGE = 4


@dataclass(frozen=True, slots=True)
class Profile:
    """What one burst of `events` took."""

    costs: Costs
    figures: Mapping[str, float]

    @property
    def events(self) -> float:
        return self.figures["events"]

    def microseconds(self, seconds: float) -> float:
        """Of one event."""
        return 1e6 * seconds / self.events


def profiled(stage: Stage, events: int) -> Profile:
    folder = stage.folder / "profile"
    folder.mkdir()
    through = ("tests.benchmarks.sampled", str(folder))
    with Hirewire(stage, PEOPLE, through=through) as hirewire:
        burst(stage, hirewire, _WARM)
        _asked(folder, 1, hirewire)
        figures = burst(stage, hirewire, events)
        costs = _asked(folder, 2, hirewire)
    stage.note(SCENARIO, "hirewire", 1, figures)
    return Profile(costs, figures)


def _asked(folder: Path, number: int, hirewire: Hirewire) -> Costs:
    """What all processes kept since they were asked last."""
    pids = {pid for root in hirewire.programs.values() for pid in tree(root)}
    (folder / "asked").write_text(str(number))
    limit = time.monotonic() + _TELL_S
    while len(told := list(folder.glob(f"{number}-*.json"))) < len(pids) and time.monotonic() < limit:
        time.sleep(0.05)
    found = Costs()
    for file in told:
        found.take(json.loads(file.read_text()))
    return found


def tables(profile: Profile) -> list[tuple[str, Sequence[str], list[list[str]]]]:
    """Title, heads and rows of what it tells."""
    return [
        (
            "By stage",
            ["stage", "µs an event", "share", "its dearest functions (µs an event)"],
            _rows(profile),
        ),
        (
            "The dearest functions, with all that they call",
            ["function", "µs an event"],
            _top(profile, profile.costs.inclusive),
        ),
        (
            "The dearest functions by themselves",
            ["function", "µs an event"],
            _top(profile, profile.costs.leaves),
        ),
    ]


def _rows(profile: Profile) -> list[list[str]]:
    spent = sum(profile.costs.stages.values())
    rows = [
        [
            name,
            short(profile.microseconds(profile.costs.stages[name])),
            f"{100 * profile.costs.stages[name] / spent:.0f} %",
            _dearest(profile, name),
        ]
        for name in STAGES
        if profile.costs.stages.get(name)
    ]
    return [*rows, ["all", short(profile.microseconds(spent)), "100 %", ""], *_servers(profile)]


def _servers(profile: Profile) -> list[list[str]]:
    figures = profile.figures
    return [
        [name, short(1000 * figures[f"cpu_ms_{name}"]), "", "as the kernel counts it, beside all that"]
        for name in ("database", "broker")
    ]


def _dearest(profile: Profile, name: str) -> str:
    found = {function: s for (stage, function), s in profile.costs.functions.items() if stage == name}
    top = sorted(found.items(), key=_seconds, reverse=True)[:_TOP_OF_A_STAGE]
    return ", ".join(f"`{function}` {short(profile.microseconds(seconds))}" for function, seconds in top)


def _top(profile: Profile, costs: Mapping[str, float]) -> list[list[str]]:
    top = sorted(costs.items(), key=_seconds, reverse=True)[:_TOP]
    return [[f"`{function}`", short(profile.microseconds(seconds))] for function, seconds in top]


def _seconds(item: tuple[str, float]) -> float:
    return item[1]


def told(profile: Profile) -> str:
    """For a terminal."""
    parts = [f"{title}\n{table(heads, rows)}" for title, heads, rows in tables(profile)]
    return "\n\n".join(parts).replace("`", "")


def as_json(profile: Profile, machine: Mapping[str, Any]) -> dict[str, Any]:
    return {"machine": machine, "figures": profile.figures, "costs": profile.costs.as_json()}
