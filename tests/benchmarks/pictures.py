"""Bars of medians with their least and most, one picture for each scenario and figure: plain SVG.

`python -m tests.benchmarks.pictures [FILE]` writes what `build/bench.json` holds into `docs/benchmarks/`: the
pictures, and the tables of its README. `make bench` does so by itself where nothing was left out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tests.benchmarks import written
from tests.benchmarks.measures import Goal, Run, Spread
from tests.demo.scene import ROOT

DRAWN = {
    "per_s": "PATCHes or events a second",
    "cpu_ms_each": "ms of processor for each",
    "p99_ms": "ms, p99",
}
_BAR, _LEFT, _WIDTH, _MARGIN, _LINE = 26, 250, 760, 34, 18
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"


def picture(title: str, unit: str, bars: Mapping[str, Spread], below: Sequence[str]) -> str:
    """Horizontal bars; the thin line is from the least to the most."""
    longest = max(spread.most for spread in bars.values()) or 1.0
    scale = (_WIDTH - _LEFT - 170) / longest
    bottom = _MARGIN + _BAR * len(bars) + _LINE
    height = bottom + _LINE * len(below)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" style="{_STYLE}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="20" font-weight="bold">{escape(title)}: {escape(unit)}</text>',
    ]
    for place, (who, spread) in enumerate(bars.items()):
        lines += _bar(_MARGIN + place * _BAR, who, spread, scale)
    for place, line in enumerate(below):
        lines.append(f'<text x="10" y="{bottom + place * _LINE}" fill="#666666">{escape(line)}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(top: int, who: str, spread: Spread, scale: float) -> list[str]:
    middle, fill = top + _BAR // 2, "#1a7f5a" if who.startswith("hirewire") else "#8a94a6"
    start, end = _LEFT + spread.least * scale, _LEFT + spread.most * scale
    size = f'width="{spread.median * scale:.1f}" height="{_BAR - 10}"'
    line = f'x1="{start:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"'
    return [
        f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{escape(who)}</text>',
        f'<rect x="{_LEFT}" y="{top + 5}" {size} fill="{fill}"/>',
        f'<line {line} stroke="#222222"/>',
        f'<text x="{end + 8:.1f}" y="{middle + 4}">{escape(str(spread))}</text>',
    ]


def caption(machine: Mapping[str, Any]) -> list[str]:
    """Machine and versions, in lines."""
    packages = machine["packages"]
    busy = ", busy with other work" if written.is_busy(machine) else ""
    versions = (
        f"Python {machine['python']}, PostgreSQL {machine['postgresql']}, Valkey {machine['valkey']},"
        f" Celery {packages['celery']}, requests {packages['requests']}, Hirewire {machine['hirewire']}"
    )
    return [
        f"{machine['cores']} cores, {machine['processor']}, {machine['memory_gb']} GB{busy}",
        versions,
    ]


def drawn(runs: Sequence[Mapping[str, Any]], machine: Mapping[str, Any]) -> dict[str, str]:
    """File name to picture."""
    values: dict[tuple[str, str], dict[str, list[float]]] = {}
    for run in runs:
        for figure in (name for name in DRAWN if name in run["figures"]):
            whose = values.setdefault((run["scenario"], figure), {})
            whose.setdefault(run["who"], []).append(run["figures"][figure])
    return {
        f"{_slug(scenario)}-{_slug(figure)}.svg": picture(
            scenario, DRAWN[figure], {who: Spread.of(found) for who, found in whose.items()}, caption(machine)
        )
        for (scenario, figure), whose in values.items()
        if len(whose) > 1
    }


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def draw(file: Path) -> None:
    """Pictures and tables of the documents, of what the file holds."""
    told = json.loads(file.read_text(encoding="utf-8"))
    runs = [Run(one["scenario"], one["who"], one["round"], one["figures"]) for one in told["runs"]]
    written.needs(runs, told["machine"])
    written.bench(runs, [Goal(**goal) for goal in told["goals"]], told["machine"])
    for name, svg in drawn(told["runs"], told["machine"]).items():
        (written.FOLDER / name).write_text(svg, encoding="utf-8")


def main() -> None:
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "bench.json")


if __name__ == "__main__":
    main()
