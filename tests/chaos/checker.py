"""All invariants over the evidence of one run, and the few that can be judged while it goes on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.chaos import check_audit, check_events, check_guards, check_writes
from tests.chaos.evidence import Evidence, Log, Violation

_SETTLING_S = 2.0


def violations(evidence: Evidence) -> list[Violation]:
    """Of the finished run: nothing is under way any more."""
    return [
        *check_events.lost(evidence),
        *check_events.wrong(evidence),
        *check_events.holds(evidence),
        *check_writes.all_of(evidence),
        *check_audit.all_of(evidence.logs, evidence.facts.audit),
        *check_guards.all_of(evidence),
    ]


def early(
    logs: Sequence[Log], audit: Iterable[Mapping[str, Any]], returners: Iterable[int], now: float
) -> list[Violation]:
    """What a run can be stopped for. `audit` was read after `logs`; the last seconds are left out."""
    told = check_audit.told_by(audit)
    old = [Log(log.target, [item for item in log.entries if item["at"] < now - _SETTLING_S]) for log in logs]
    return [
        *check_writes.stale(logs, returners),
        *check_writes.repetitions(logs),
        *check_audit.without_intent(old, told),
    ]
