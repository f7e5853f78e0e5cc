"""SIGKILL on a schedule. A kill counts only if something was settled since the last one."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping

from sqlalchemy.exc import DBAPIError

from tests.chaos.companion import Companion
from tests.chaos.facts import Rows
from tests.chaos.profile import Kills
from tests.chaos.setups import SetUp

_PATIENCE_S = 5.0
_LOOK_S = 0.3


class Killer(Companion):
    """Between `start` and `stop`; `counted` and `idle` are the kills that count and those that do not.

    A kill waits a while for something to settle, so that it counts: work must go on between the kills.
    """

    def __init__(self, setup: SetUp, kills: Kills, seed: int) -> None:
        super().__init__("killer")
        self._rng = random.Random(seed)  # noqa: S311 - repeatable
        self._rows: Rows = setup.rows
        self._victims: Mapping[str, Callable[[], None]] = setup.victims(self._rng)
        self._every = {
            kind: span
            for kind, span in (
                ("worker", kills.worker),
                ("broker", kills.broker),
                ("database", kills.database),
            )
            if span is not None and kind in self._victims
        }
        self._settled = 0
        self.counted: Counter[str] = Counter()
        self.idle: Counter[str] = Counter()

    def work(self) -> None:
        due = {kind: time.monotonic() + self._rng.uniform(*span) for kind, span in self._every.items()}
        while due and not self._over.is_set():
            kind = min(due, key=lambda name: due[name])
            if self._over.wait(max(0.0, due[kind] - time.monotonic())):
                return
            self._kill(kind)
            due[kind] = time.monotonic() + self._rng.uniform(*self._every[kind])

    def _kill(self, kind: str) -> None:
        worked = self._has_settled()
        if self._over.is_set():
            return
        self._victims[kind]()
        (self.counted if worked else self.idle)[kind] += 1

    def _has_settled(self) -> bool:
        limit = time.monotonic() + _PATIENCE_S
        while time.monotonic() < limit and not self._over.is_set():
            try:
                settled = self._rows.settled()
            except DBAPIError:
                settled = 0
            if settled > self._settled:
                self._settled = settled
                return True
            self._over.wait(_LOOK_S)
        return False
