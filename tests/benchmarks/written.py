"""Figures in the documents: what stands between two marks is written by a run, the rest by people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tests.benchmarks import scaling
from tests.benchmarks.measures import Goal, Run, summary
from tests.benchmarks.profiling import Profile, tables
from tests.benchmarks.report import FIGURES, GOALS, rows
from tests.demo.scene import ROOT

FOLDER = ROOT / "docs" / "benchmarks"
_CODE = re.compile(r"`([^`]+)`")
BEGIN, END = "<!-- measured: written by a run -->", "<!-- end of what was measured -->"


def between(text: str, fresh: str) -> str:
    """The text with another part between the marks. Raises ValueError where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the document has no place for what was measured")
    return f"{before}{BEGIN}\n\n{fresh.strip()}\n\n{END}{after}"


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    cells = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in cells)


def words(machine: Mapping[str, Any]) -> str:
    """What it was measured on, in sentences."""
    packages = machine["packages"]
    names = ("celery", "kombu", "requests", "urllib3", "sqlalchemy", "psycopg")
    busy = " The machine was busy with other work." if is_busy(machine) else ""
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']},"
        f" Python {machine['python']}, PostgreSQL {machine['postgresql']}"
        f" ({machine['postgresql_settings']}), Valkey {machine['valkey']},"
        f" {', '.join(f'{name} {packages[name]}' for name in names)}.{busy}"
    )


def is_busy(machine: Mapping[str, Any]) -> bool:
    return bool(machine.get("busy_with_other_work"))


def bench(runs: Sequence[Run], goals: Sequence[Goal], machine: Mapping[str, Any]) -> None:
    """Both tables, in the README of the folder."""
    parts = [
        words(machine),
        "### Goals",
        markdown([*GOALS[:3], "met"], rows(goals)),
        "### Figures",
        markdown(FIGURES, summary(runs)),
    ]
    _write(FOLDER / "README.md", "\n\n".join(parts))


def needs(runs: Sequence[Run], machine: Mapping[str, Any]) -> None:
    """Costs and what follows from them, where all of the costs were measured."""
    costs = scaling.measured(runs)
    if costs is None:
        return
    parts = [
        words(machine),
        markdown(scaling.COSTS, [*costs.rows()]),
        "### Computed",
        markdown(scaling.NEEDS, scaling.table(costs)),
    ]
    _write(FOLDER.parent / "scaling.md", "\n\n".join(parts))


def profile(found: Profile, machine: Mapping[str, Any]) -> None:
    parts = [words(machine), f"One burst of {found.events:,.0f} events."]
    for title, heads, lines in tables(found):
        parts += [f"### {title}", markdown(heads, [[*map(_named, line)] for line in lines])]
    _write(FOLDER / "profile.md", "\n\n".join(parts))


def _named(cell: str) -> str:
    """Functions of others are not options of ours, nor files: as code of HTML, which nobody looks up."""
    return _CODE.sub(lambda found: f"<code>{escape(found[1])}</code>", cell)


def _write(file: Path, fresh: str) -> None:
    file.write_text(between(file.read_text(encoding="utf-8"), fresh), encoding="utf-8")
