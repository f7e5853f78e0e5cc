"""What Hirewire itself says, from the documents that its commands print, as the demo counts it.

The demo never decides by these numbers whether an account is right: that is asked of the targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.demo.commands import Hirewire
from tests.demo.scene import Held
from tests.demo.verdict import Reported

_ALL = "100000"
_WRITES = ("account:patch:", "account:create:")
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


def reports(hirewire: Hirewire, seen: Progress) -> dict[str, Reported]:
    """By target: from `status`, `held` and `audit list`."""
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(hirewire.document, "held")
        audit = hirewire.document("audit", "list", "--action", "account:", "--limit", _ALL)
        held = [_held(item) for item in asked.result()["held"]]
    writes = [record for record in audit["records"] if record["action"].startswith(_WRITES)]
    steps = Counter((record["target"], _step(record)) for record in writes)
    return {row["name"]: _report(row, held, steps) for row in seen.rows}


def _step(record: Mapping[str, Any]) -> str:
    """How far a write came. Whom a connector refuses, with no answer of the target's, was not sent."""
    word = str(record["action"].rpartition(":")[2])
    return "not_sent" if word == "rejected" and "status" not in record else word


def _report(
    row: Mapping[str, Any],
    held: Sequence[Held],
    steps: Mapping[tuple[str, str], int],
) -> Reported:
    """An intent counts as sent unless its outcome says that it was not."""
    name = row["name"]
    unsent = steps[name, "not_sent"] + steps[name, "unreachable"]
    return Reported(
        connector=row["connector"],
        accounts=row["accounts"],
        due=_open(row),
        acknowledged=row["revisions"],
        applied=steps[name, "applied"] + steps[name, "confirmed"],
        intents=steps[name, "intended"] - unsent,
        held=sorted(item for item in held if item.target == name),
        doubts=steps[name, "ambiguous"],
    )


def _held(item: Mapping[str, Any]) -> Held:
    return Held(item["target"], item["subject"], item["field"], item["reason"], item["message"])
