"""Waiting for another process or thread: always with a limit, so that nothing can hang."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 60.0
_LOOK_S = 0.02


def until(condition: Callable[[], object], what: str, limit_s: float = LIMIT_S) -> None:
    """Return when `condition` holds; fail with `never: WHAT` after `limit_s` seconds."""
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit, f"never: {what}"
        time.sleep(_LOOK_S)
