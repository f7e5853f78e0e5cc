"""All that the checker looks at, gathered after a run or in the middle of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.facts import Facts
from tests.chaos.scenario import Scenario
from tests.targets.journal import READS

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Log:
    """What one target was asked, in the order of arrival."""

    target: str
    entries: Sequence[Entry]

    @property
    def writes(self) -> list[Entry]:
        return [entry for entry in self.entries if entry["method"] not in READS]

    @property
    def applied(self) -> list[Entry]:
        """The writes that took effect, in that order."""
        return sorted((entry for entry in self.entries if entry["applied"]), key=_turn)


def _turn(entry: Entry) -> int:
    turn: int = entry["turn"]
    return turn


def account_of(entry: Entry) -> int | None:
    """The id at the end of a write's path."""
    last = str(entry["path"]).rstrip("/").rpartition("/")[2]
    return int(last) if last.isdigit() else None


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` is one of the words of docs/chaos.md; `where` names event, account or request."""

    invariant: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """`before` and `after`: target -> id -> row of the target's own database."""

    scenario: Scenario
    logs: Sequence[Log]
    before: Mapping[str, Mapping[int, Entry]]
    after: Mapping[str, Mapping[int, Entry]]
    facts: Facts
