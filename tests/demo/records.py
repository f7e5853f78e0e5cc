"""What Hirewire itself says, from the documents that its commands print, as the demo counts it.

The demo never decides by these numbers whether an account is right: that is asked of the targets.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.commands import Hirewire
from tests.demo.scene import Held
from tests.demo.verdict import Reported

_ALL = "100000"
_ACKNOWLEDGED = """
    SELECT t.name, coalesce(sum(a.applied_revision), 0)
    FROM target t LEFT JOIN account a ON a.target_id = t.id GROUP BY t.name
"""
_NOT_WELL = (0, 1)  # an open alarm is told by the exit code


@dataclass(frozen=True, slots=True)
class Progress:
    """`open` accounts have something to do, now or later; `unfolded` events wait for the fold."""

    rows: Sequence[Mapping[str, Any]]
    accounts: int
    open: int
    unfolded: int
    alarms: Sequence[str]

    @property
    def settled(self) -> bool:
        return self.accounts > 0 and self.open == 0 and self.unfolded == 0


def progress(hirewire: Hirewire) -> Progress:
    """From `hirewire status --json`."""
    told = hirewire.document("status", codes=_NOT_WELL)
    rows = told["targets"]
    return Progress(
        rows=rows,
        accounts=sum(row["accounts"] for row in rows),
        open=sum(_open(row) for row in rows),
        unfolded=told["events_to_fold"] + told["events_for_later"],
        alarms=[alarm["message"] for alarm in told["alarms"]],
    )


def _open(row: Mapping[str, Any]) -> int:
    return int(row["due"]) + int(row["in_flight"]) + int(row["later"])


def reports(hirewire: Hirewire, seen: Progress, state_dir: Path) -> dict[str, Reported]:
    """By target: from `status`, `held` and `audit list`, and the revisions from the database's file."""
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(hirewire.document, "held")
        audit = hirewire.document("audit", "list", "--action", "account:patch:", "--limit", _ALL)
        held = [_held(item) for item in asked.result()["held"]]
    actions = Counter((record["target"], record["action"].rpartition(":")[2]) for record in audit["records"])
    revisions = _acknowledged(state_dir)
    return {row["name"]: _report(row, held, actions, revisions) for row in seen.rows}


def _report(
    row: Mapping[str, Any],
    held: Sequence[Held],
    actions: Mapping[tuple[str, str], int],
    revisions: Mapping[str, int],
) -> Reported:
    """An intent counts as sent unless its outcome says that it was not."""
    name = row["name"]
    unsent = actions[name, "not_sent"] + actions[name, "unreachable"]
    return Reported(
        connector=row["connector"],
        accounts=row["accounts"],
        due=_open(row),
        acknowledged=revisions[name],
        applied=actions[name, "applied"] + actions[name, "confirmed"],
        intents=actions[name, "intended"] - unsent,
        held=sorted(item for item in held if item.target == name),
    )


def _held(item: Mapping[str, Any]) -> Held:
    return Held(item["target"], item["subject"], item["field"], item["reason"], item["message"])


def _acknowledged(state_dir: Path) -> dict[str, int]:
    """No command tells revisions: read-only, from the file."""
    uri = f"{(state_dir / 'hirewire.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=20)) as connection:
        return {str(name): int(total) for name, total in connection.execute(_ACKNOWLEDGED)}
