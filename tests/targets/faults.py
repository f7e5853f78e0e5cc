"""Scripted faults: which request misbehaves, how often, and in which way.

A `FaultPlan` is shared by all threads of a server; taking a fault is atomic, so that a fault with
`times = 1` strikes exactly one request. It knows nothing of HTTP.
"""

from __future__ import annotations

import enum
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NOT_GIVEN = object()  # a body of null is a body


class Kind(enum.Enum):
    STATUS = "status"  # another answer; the application does not run
    DELAY = "delay"  # waits, then answers properly
    DROP_BEFORE = "drop_before"  # connection reset, nothing happened
    DROP_AFTER = "drop_after"  # connection reset, it happened
    CUT = "cut"  # it happened, the answer ends in the middle
    TRICKLE = "trickle"  # it happened, the answer comes byte by byte
    HTML = "html"  # a page where JSON was due; the application does not run
    REDIRECT = "redirect"  # to a login page; the application does not run
    LATE_EFFECT = "late_effect"  # the connection dies first, it happens afterwards
    EMPTY = "empty"  # it happened, and the answer has no body


EFFECT_BY_DEFAULT = frozenset({Kind.EMPTY})


class FaultError(ValueError):
    """A fault that no request could meet. The message names the offending key."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request. `seconds` is the length of delay, trickle or lateness.

    `effect` says whether the application runs behind an answer that is replaced. `at` is where a
    cut falls: "body" (half of it is sent), "headers", or a number of bytes of the whole answer.
    `hold_s` is how long a late effect keeps the connection before it closes it.
    """

    kind: Kind
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = NOT_GIVEN
    seconds: float = 1.0
    effect: bool = False
    at: str | int = "body"
    hold_s: float | None = None


@dataclass(slots=True)
class Rule:
    """One entry of a plan: `after` matching requests pass, then `times` of them meet the fault."""

    fault: Fault
    method: str | None = None
    path: re.Pattern[str] | None = None
    username: str | None = None
    times: int | None = 1  # None: until the next reset
    after: int = 0

    def matches(self, method: str, path: str, username: Callable[[], str | None]) -> bool:
        if self.method is not None and self.method != method:
            return False
        if self.path is not None and self.path.search(path) is None:
            return False
        return self.username is None or self.username == username()

    def strike(self) -> bool:
        """Whether this matching request meets the fault; counts it either way."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class FaultPlan:
    """The rules still in force, first match first. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def extend(self, entries: list[Rule]) -> None:
        with self._lock:
            self._rules.extend(entries)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, method: str, path: str, username: Callable[[], str | None]) -> Fault | None:
        """The fault of this request, consumed. `username` is asked only where a rule names one."""
        with self._lock:
            for rule in self._rules:
                if rule.times == 0 or not rule.matches(method, path, username):
                    continue
                if rule.strike():
                    return rule.fault
        return None


def parse_rules(payload: Any) -> list[Rule]:
    """Read the list of the control request; raises `FaultError` on anything unknown."""
    if not isinstance(payload, list):
        raise FaultError("a list of faults is expected")
    return [_rule(entry) for entry in payload]


def _rule(entry: Any) -> Rule:
    if not isinstance(entry, dict):
        raise FaultError("a fault entry is an object")
    _known(entry, {"method", "path", "match", "times", "after", "fault"})
    match = entry.get("match") or {}
    _known(match, {"username"})
    return Rule(
        fault=_fault(entry.get("fault")),
        method=entry.get("method"),
        path=_pattern(entry.get("path")),
        username=match.get("username"),
        times=entry.get("times", 1),
        after=entry.get("after", 0),
    )


def _fault(raw: Any) -> Fault:
    if not isinstance(raw, dict):
        raise FaultError("fault: an object is expected")
    _known(raw, {"kind", "status", "headers", "body", "seconds", "effect", "at", "hold_s"})
    try:
        kind = Kind(raw.get("kind"))
    except ValueError as error:
        raise FaultError(f"kind: {error}") from error
    given = {key: value for key, value in raw.items() if key != "kind"}
    given.setdefault("effect", kind in EFFECT_BY_DEFAULT)
    return Fault(kind=kind, **given)


def _pattern(raw: str | None) -> re.Pattern[str] | None:
    try:
        return None if raw is None else re.compile(raw)
    except re.error as error:
        raise FaultError(f"path: {error}") from error


def _known(entry: Mapping[str, Any], names: set[str]) -> None:
    unknown = sorted(set(entry) - names)
    if unknown:
        raise FaultError(f"unknown keys: {', '.join(unknown)}")
