"""One configured target at run time: connector, rules, gate, and how its answers went lately.

Shared by all threads of a process; every method is safe from any of them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace

from connectors.sdk.contract import Connector
from worker.domain.answer import Blame
from worker.domain.person import View
from worker.domain.policy import Policy

_MINUTE_S = 60.0


class Gate:
    """Closed after "too many requests" until a moment of this process's clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open_at = 0.0

    def close(self, seconds: float) -> None:
        with self._lock:
            self._open_at = max(self._open_at, time.monotonic() + seconds)

    @property
    def closed(self) -> bool:
        return time.monotonic() < self._open_at


class Health:
    """Which accounts failed in a row, and how; a success of any account ends the row."""

    def __init__(self, pause_after: int, missing_per_minute: int) -> None:
        self._lock = threading.Lock()
        self._pause_after = pause_after
        self._missing_per_minute = missing_per_minute
        self._streaks: dict[Blame, set[int]] = {}
        self._missing: deque[float] = deque()
        self._applied: tuple[int, float] | None = None
        self.pause_kind: str | None = None  # as the row says: paused for it, and no success since

    def succeeded(self, account_id: int, *, applied: bool, now: float) -> None:
        with self._lock:
            self._streaks.clear()
            if applied:
                self._applied = (account_id, now)

    @property
    def trial(self) -> int | None:
        """How many accounts, those under way included, may still try whether it takes changes again.

        None: it does. Never less than one: an account that was refused before may ask again.
        """
        if self.pause_kind != Blame.TARGET_REFUSES.value:
            return None
        with self._lock:
            refused = self._streaks.get(Blame.TARGET_REFUSES, set())
            return max(self._pause_after - len(refused), 1)

    def proved(self, *, applied: bool) -> bool:
        """Whether a success ends the row of pauses: reads go well where changes are refused."""
        return self.pause_kind is not None and (applied or self.trial is None)

    def failed(self, blame: Blame, account_id: int) -> bool:
        """Whether so many different accounts failed alike that the target is to blame."""
        with self._lock:
            streak = self._streaks.setdefault(blame, set())
            streak.add(account_id)
            return len(streak) >= self._pause_after

    def missed(self, now: float) -> bool:
        """Whether more accounts vanished within a minute than a target may lose."""
        with self._lock:
            self._missing.append(now)
            while self._missing and self._missing[0] < now - _MINUTE_S:
                self._missing.popleft()
            return len(self._missing) > self._missing_per_minute

    def others_succeed(self, account_id: int, since: float) -> bool:
        """Whether the target applied something for another account since then."""
        with self._lock:
            return self._applied is not None and self._applied[0] != account_id and self._applied[1] > since

    def reset(self) -> None:
        with self._lock:
            self._streaks.clear()
            self._missing.clear()


class Reminder:
    """Says a thing again only after a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._again_at = 0.0

    def due(self, every_s: float) -> bool:
        with self._lock:
            due = time.monotonic() >= self._again_at
            if due:
                self._again_at = time.monotonic() + every_s
            return due


class Rules:
    """A target's policy, which also protects the owner of our own token once that is known."""

    def __init__(self, policy: Policy) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self.policy = policy
        self.introduced = False

    def to_be_asked(self) -> bool:
        """True for one caller at a time, until somebody introduced the target or gave up."""
        with self._lock:
            first = not self._asked and not self.introduced
            self._asked = True
            return first

    def introduce(self, owner: str | None, owner_id: str | None) -> None:
        """The target said whose token ours is; None where its style cannot tell."""
        known = self.policy
        with self._lock:
            self.policy = replace(
                known,
                protected_names=known.protected_names | ({owner} if owner else frozenset()),
                protected_ids=known.protected_ids | ({owner_id} if owner_id else frozenset()),
            )
            self.introduced = True

    def give_up(self) -> None:
        with self._lock:
            self._asked = False


@dataclass(frozen=True, slots=True)
class Target:
    """`rate_per_s` None: as fast as the target answers."""

    id: int
    name: str
    connector: Connector
    rules: Rules
    view: View
    max_in_flight: int
    rate_per_s: float | None
    deadline_s: float
    health: Health
    fingerprint: str  # of the configuration that this process has
    gate: Gate = field(default_factory=Gate)
    outdated: Reminder = field(default_factory=Reminder)

    @property
    def policy(self) -> Policy:
        return self.rules.policy

    @property
    def stream(self) -> str:
        """The audit stream of this target."""
        return f"target:{self.name}"

    @property
    def pace_s(self) -> float:
        """The least time between two sends on one of the target's slots."""
        return 0.0 if self.rate_per_s is None else self.max_in_flight / self.rate_per_s
