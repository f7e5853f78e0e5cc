"""What PostgreSQL says of one statement: its plan, read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_PARAMETER = re.compile(r"%(?:\(\w+\))?s(?:::[A-Z]+(?: PRECISION| VARYING)?)?")
_REPEATED = re.compile(r"(\?|\([?, ]+\))(?:, \1)+")
_PAGES = re.compile(r"Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?")
_TIME = re.compile(r"Execution Time: ([\d.]+) ms")
_NODE = re.compile(r"rows=([\d.]+) loops=(\d+)\)$")
_REMOVED = re.compile(r"Rows Removed by Filter: (\d+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """`pages`: what it touched; `rows`: the most that any of its steps looked at."""

    query: str
    statement: str
    lines: tuple[str, ...]
    ms: float
    pages: int
    rows: int

    def as_json(self) -> dict[str, Any]:
        figures = {"ms": self.ms, "pages": float(self.pages), "rows_looked_at": float(self.rows)}
        return {
            "query": self.query,
            "statement": self.statement,
            "plan": list(self.lines),
            "figures": figures,
        }


def shortened(statement: str) -> str:
    """Without what differs from one execution to the next: parameters, and how many there are in a list."""
    bare = _PARAMETER.sub("?", " ".join(statement.split()))
    return _REPEATED.sub(r"\1, …", bare)


def read_plan(query: str, statement: str, lines: Sequence[str]) -> Plan:
    """Of the text that EXPLAIN (ANALYZE, BUFFERS) answers with."""
    text = "\n".join(lines)
    pages = _PAGES.search(text.partition("\nPlanning")[0])
    took = _TIME.search(text)
    return Plan(
        query,
        statement,
        tuple(lines),
        float(took[1]) if took else 0.0,
        sum(int(part or 0) for part in pages.groups()) if pages else 0,
        _most_rows(lines),
    )


def _most_rows(lines: Sequence[str]) -> int:
    """Of any step: what it passed on, and what it looked at in vain."""
    most, passed, loops = 0.0, 0.0, 1
    for line in lines:
        if node := _NODE.search(line):
            passed, loops = float(node[1]), int(node[2])
        removed = _REMOVED.search(line)
        most = max(most, loops * (passed + (int(removed[1]) if removed else 0)))
    return round(most)
