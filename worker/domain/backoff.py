"""Delays: exponential with full jitter. Pure; the random number comes from the caller."""

from __future__ import annotations

from worker.domain.policy import Timing

_LEVELS = 32  # 2**32 times any base is past any ceiling


def delay(level: int, timing: Timing, jitter: float) -> float:
    """Seconds to wait after the `level`-th failure in a row (from 0). `jitter` is in [0, 1).

    Full jitter between a tenth of the ceiling and the ceiling: never zero, so that a failing
    target is not asked in a loop.
    """
    ceiling = min(timing.backoff_max_s, timing.backoff_base_s * 2.0 ** min(level, _LEVELS))
    return ceiling * (0.1 + 0.9 * jitter)
