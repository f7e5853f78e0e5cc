"""Figures of several runs: medians, percentiles, ratios pair by pair, goals, and the table. Pure."""

from __future__ import annotations

import math
import re
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_DETAIL = re.compile(r"cpu_ms_(?!each).*|events|requests_too_many|asked_per_s")


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]


def windows(ascending: Sequence[float], width: float) -> tuple[int, int]:
    """The least and the most arrivals in any window of this width that lies within the first and the last."""
    edges = [at for at in ascending if at + width <= ascending[-1]]
    counts = [bisect_right(ascending, at + width) - bisect_right(ascending, at) for at in edges]
    full = [count + 1 for count in counts]  # with the arrival that the window begins with
    return min(counts), max(full)


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{short(self.median)} ({short(self.least)} to {short(self.most)})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Of the runs that stood beside each other: what slows the machine for a while slows both."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that was promised, and what was measured. `met`: whether the one reaches the other."""

    name: str
    goal: str
    measured: str
    met: bool

    @classmethod
    def at_least(
        cls, name: str, bound: float, found: Spread, unit: str = "x", defect: float | None = None
    ) -> Goal:
        """Below `defect` it is no missed goal but a fault."""
        wanted, measured = f">= {bound:g} {unit}".rstrip(), f"{found} {unit}".rstrip()
        if defect is not None:
            wanted += f", below {defect:g} {unit} a defect"
            measured += ", a DEFECT" if found.median < defect else ""
        return cls(name, wanted, measured, found.median >= bound)

    @classmethod
    def at_most(cls, name: str, bound: float, found: Spread, unit: str = "x") -> Goal:
        return cls(name, f"<= {bound:g} {unit}".rstrip(), f"{found} {unit}".rstrip(), found.median <= bound)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Run:
    """One competitor in one round of one scenario, with all that was measured. `text`: what else is kept."""

    scenario: str
    who: str
    round: int
    figures: dict[str, float]
    text: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        rounded = {name: float(f"{value:.6g}") for name, value in self.figures.items()}
        told = {"scenario": self.scenario, "who": self.who, "round": self.round, "figures": rounded}
        return {**told, "text": list(self.text)} if self.text else told


def series(runs: Sequence[Run], scenario: str, who: str, figure: str) -> list[float]:
    """A competitor's figure, round by round."""
    return [run.figures[figure] for run in runs if (run.scenario, run.who) == (scenario, who)]


def summary(runs: Sequence[Run]) -> list[list[str]]:
    """One line for each figure of each competitor, over the rounds. Details are left to the file."""
    rows: dict[tuple[str, str, str], list[float]] = {}
    for run in runs:
        for name, value in run.figures.items():
            if not _DETAIL.fullmatch(name):
                rows.setdefault((run.scenario, run.who, name), []).append(value)
    return [[*key, str(Spread.of(values))] for key, values in rows.items()]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def short(value: float) -> str:
    """Three digits that count, and no exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
