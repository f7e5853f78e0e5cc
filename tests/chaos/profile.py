"""How large and how rough a run is, and what it must at least have delivered to count. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FULL_EVENTS, FULL_MINUTES = 10_000, 2.0
LATE_S = 2.0  # a late effect comes so long after its client left
READ_S = 1.0
DEADLINE_S = 2.0
CONVERGE_S = 60.0

_JSON = {"Content-Type": "application/json"}
_SILENT = {"seconds": READ_S + 0.4}
_WRITES = ["PATCH", "POST"]

KINDS: Mapping[str, Mapping[str, object]] = {
    "429 seconds": {
        "share": 0.025,
        "fault": {"kind": "status", "status": 429, "headers": {**_JSON, "Retry-After": "1"}},
    },
    "429 date": {"share": 0.025, "fault": {"kind": "status", "status": 429, "retry_at_s": 1}},
    "500": {"share": 0.03, "fault": {"kind": "status", "status": 500, "echo": True}},
    "503": {"share": 0.02, "fault": {"kind": "status", "status": 503}},
    "timeout after": {"share": 0.03, "fault": {"kind": "stall", **_SILENT}},
    "timeout before": {"share": 0.02, "fault": {"kind": "hang", **_SILENT}},
    "late effect": {
        "share": 0.02,  # half of the requests are writes: 1 % of all
        "methods": _WRITES,
        "fault": {"kind": "late_effect", "seconds": READ_S + LATE_S, "hold_s": READ_S + 0.2},
    },
    "reset after": {"share": 0.02, "fault": {"kind": "drop_after"}},
    "reset before": {"share": 0.01, "fault": {"kind": "drop_before"}},
    "cut body": {"share": 0.02, "fault": {"kind": "cut"}},
    "html": {"share": 0.01, "fault": {"kind": "html"}},
    "302": {"share": 0.005, "fault": {"kind": "redirect"}},
    "trickle": {"share": 0.005, "fault": {"kind": "trickle", "seconds": 2 * DEADLINE_S}},
}
"""Kind -> share of the requests it strikes, and how the reference server does it."""

_RARE = frozenset({"302", "trickle"})


def chances() -> list[dict[str, object]]:
    """The weather of every target, as the control request wants it."""
    return [{**kind, "fault": {**_fault(kind), "label": name}} for name, kind in KINDS.items()]


def _fault(kind: Mapping[str, object]) -> Mapping[str, object]:
    fault = kind["fault"]
    assert isinstance(fault, Mapping)
    return fault


@dataclass(frozen=True, slots=True)
class Kills:
    """Seconds between two kills of one kind, drawn evenly from the range. None: never killed."""

    worker: tuple[float, float] | None = (4.0, 8.0)
    broker: tuple[float, float] | None = (9.0, 12.0)
    database: tuple[float, float] | None = (15.0, 19.0)

    def stretched(self, factor: float) -> Kills:
        """With pauses longer by this factor: for a machine that has other things to do."""
        return Kills(*(_stretched(span, factor) for span in (self.worker, self.broker, self.database)))


def _stretched(span: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if span is None else (span[0] * factor, span[1] * factor)


@dataclass(frozen=True, slots=True)
class Profile:
    """One set-up's run. `portions` are the calls of `hirewire send` that the events are spread over."""

    seed: int
    events: int
    people: int
    minutes: float
    portions: int
    kills: Kills = Kills()
    converge_s: float = CONVERGE_S
    weather: bool = True
    least_kills: Mapping[str, int] = field(default_factory=dict)
    owed: Mapping[str, int] = field(default_factory=dict)  # faults that the storm goes on for

    @property
    def faults_s(self) -> float:
        return self.minutes * 60

    @property
    def patience_s(self) -> float:
        """The longest storm: a slow machine needs more time to meet as many faults."""
        return self.faults_s * 1.5

    def owes(self, faults: Mapping[str, int], kills: Mapping[str, int]) -> bool:
        """Whether what struck so far is too little to prove anything."""
        short = any(faults.get(kind, 0) < least for kind, least in self.owed.items())
        return short or any(kills.get(kind, 0) < least for kind, least in self.least_kills.items())


def served(seed: int, events: int, minutes: float) -> Profile:
    """PostgreSQL, Valkey, two prefork workers."""
    share = _share(events, minutes)
    least = {"worker": int(12 * share), "broker": int(8 * share), "database": int(5 * share)}
    return Profile(
        seed,
        events,
        people=max(60, min(500, events // 20)),
        minutes=minutes,
        portions=max(4, min(events // 60, int(minutes * 10))),
        least_kills=least,
        owed=least_delivered(events, minutes),
    )


def embedded(seed: int, events: int, minutes: float) -> Profile:
    """SQLite, embedded Valkey, one worker of threads: a fifth of the events in a fifth of the time."""
    few, short = events // 5, minutes / 5
    share = _share(events, minutes)
    return Profile(
        seed + 1,
        few,
        people=max(40, min(100, few // 20)),
        minutes=short,
        portions=max(4, int(short * 15)),
        kills=Kills(broker=(7.0, 10.0), database=None),
        least_kills={"worker": int(3 * share), "broker": int(2 * share)},
    )


def least_delivered(events: int, minutes: float) -> dict[str, int]:
    """Faults of each kind that a run must have met, over both set-ups."""
    share = _share(events, minutes)
    return {name: int((8 if name in _RARE else 30) * share) for name in KINDS}


def least_requests(events: int, minutes: float) -> int:
    return int(6_000 * _share(events, minutes))


def _share(events: int, minutes: float) -> float:
    """What a shorter run than the full one must deliver."""
    return min(1.0, events / FULL_EVENTS, minutes / FULL_MINUTES)
