"""One log line for each audit record, once it is committed: identifiers and numbers, never a value.

What went as wanted is `debug`, the rest is `info`, and what an operator should see is `warning`. The
words of a target, of an operator or of an event's refusal are in the audit only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from worker.engine.rows import Entry

log = logging.getLogger(__name__)

_EXPECTED: Final = frozenset(
    {"accepted", "applied", "confirmed", "duplicate", "intended", "linked", "planned", "released"}
)
_ALARMING: Final = frozenset({"paused", "refused", "rejected", "unknown"})
_PLAIN: Final = (
    "correlation", "request", "target", "account", "run",
    "method", "status", "class", "attempt", "duration_ms",
)  # fmt: skip
"""Facts that hold no words of anybody's."""


def note(entries: Sequence[Entry]) -> None:
    """Called after the commit, so that no line tells of what was rolled back."""
    for entry in entries:
        level = _level(entry.action)
        if log.isEnabledFor(level):
            log.log(level, entry.action, extra=_told(entry))


def _level(action: str) -> int:
    word = action.rpartition(":")[2]
    if action.startswith("account:"):
        return logging.DEBUG if word in _EXPECTED else logging.INFO
    return logging.WARNING if word in _ALARMING else logging.DEBUG if word in _EXPECTED else logging.INFO


def _told(entry: Entry) -> dict[str, object]:
    plain = {name: entry.facts.get(name) for name in _PLAIN}
    facts: dict[str, object] = {name: value for name, value in plain.items() if value is not None}
    if entry.action.startswith("account:field:"):
        facts |= {"field": entry.facts.get("field"), "held": entry.facts.get("reason")}
    if entry.identity_id is not None:
        facts["identity"] = entry.identity_id
    if entry.latency_s is not None:
        facts["latency_s"] = round(entry.latency_s, 6)
    return facts
