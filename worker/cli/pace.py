"""How fast something goes, and how long the rest takes: by what was done within the last while. Pure."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 30.0


class Pace:
    """Told now and then how much is done."""

    def __init__(self, window_s: float = _WINDOW_S) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, at: float, done: int) -> None:
        self._seen.append((at, done))
        while len(self._seen) > 2 and self._seen[1][0] <= at - self._window_s:  # noqa: PLR2004 - a span has two ends
            self._seen.popleft()

    def rate(self) -> float | None:
        """Per second; None before anything was done."""
        if not self._seen:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - began) if last > first and now > began else None

    def left_s(self, remaining: int) -> float | None:
        rate = self.rate()
        return None if rate is None else remaining / rate


def pace_words(rate: float, left_s: float) -> str:
    """`, 12/s, 40 s left`; of what is slow the rate is that of a minute."""
    speed = f"{rate:.0f}/s" if rate >= 1 else f"{rate * 60:.0f}/min"
    return f", {speed}, {_span(left_s)} left"


def _span(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - two hours
