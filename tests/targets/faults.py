"""Scripted faults: which request misbehaves, how often, and in which way.

A `FaultPlan` is shared by all threads of a server; taking a fault is atomic, so that a fault with
`times = 1` strikes exactly one request. It knows nothing of HTTP.
"""

from __future__ import annotations

import enum
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
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
    HANG = "hang"  # nothing happens, and no answer comes: reset after a while
    STALL = "stall"  # it happened, and no answer comes: reset after a while


EFFECT_BY_DEFAULT = frozenset({Kind.EMPTY})


class FaultError(ValueError):
    """A fault that no request could meet. The message names the offending key."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request. `seconds` is the length of delay, trickle or lateness.

    `effect` says whether the application runs behind an answer that is replaced. `at` is where a
    cut falls: "body" (half of it is sent), "headers", or a number of bytes of the whole answer.
    `hold_s` is how long a late effect keeps the connection before it closes it. `retry_at_s` adds a
    Retry-After with the date that many seconds ahead; `echo` has the answer quote the request's
    credential, as careless servers do. `label` is the journal's word for it (else the kind).
    """

    kind: Kind
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = NOT_GIVEN
    seconds: float = 1.0
    effect: bool = False
    at: str | int = "body"
    hold_s: float | None = None
    retry_at_s: float | None = None
    echo: bool = False
    label: str = ""

    @property
    def word(self) -> str:
        return self.label or self.kind.value


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


@dataclass(frozen=True, slots=True)
class Chance:
    """A fault that strikes `share` of the requests with one of these methods (none named: of all)."""

    fault: Fault
    share: float
    methods: frozenset[str] = frozenset()


class Weather:
    """Faults by chance. The same seed gives the same faults to the same sequence of methods."""

    def __init__(self, seed: int, chances: list[Chance]) -> None:
        if sum(chance.share for chance in chances) > 1:
            raise FaultError("chances: the shares are more than everything")
        self._random = random.Random(seed)  # noqa: S311 - a repeatable storm
        self._chances = chances

    def draw(self, method: str) -> Fault | None:
        left = self._random.random()
        for chance in self._chances:
            left -= chance.share
            if left < 0:
                return chance.fault if not chance.methods or method in chance.methods else None
        return None


class FaultPlan:
    """The rules still in force, first match first; then the weather. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._weather: Weather | None = None

    def extend(self, entries: list[Rule]) -> None:
        with self._lock:
            self._rules.extend(entries)

    def change_weather(self, weather: Weather) -> None:
        with self._lock:
            self._weather = weather

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()
            self._weather = None

    def take(self, method: str, path: str, username: Callable[[], str | None]) -> Fault | None:
        """The fault of this request, consumed. `username` is asked only where a rule names one."""
        with self._lock:
            for rule in self._rules:
                if rule.times == 0 or not rule.matches(method, path, username):
                    continue
                if rule.strike():
                    return rule.fault
            return self._weather.draw(method) if self._weather else None


def parse_rules(payload: Any) -> list[Rule]:
    """Read the list of the control request; raises `FaultError` on anything unknown."""
    if not isinstance(payload, list):
        raise FaultError("a list of faults is expected")
    return [_rule(entry) for entry in payload]


def parse_weather(payload: Any) -> Weather:
    """Read `{seed, chances: [{share, methods, fault}]}`; raises `FaultError` on anything unknown."""
    if not isinstance(payload, dict):
        raise FaultError("an object is expected")
    _known(payload, {"seed", "chances"})
    return Weather(payload["seed"], [_chance(entry) for entry in payload["chances"]])


def _chance(entry: Any) -> Chance:
    _known(entry, {"share", "methods", "fault"})
    return Chance(_fault(entry["fault"]), entry["share"], frozenset(entry.get("methods", ())))


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
    _known(raw, {item.name for item in fields(Fault)})
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
