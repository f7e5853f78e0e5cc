"""Our own name and version, as targets see it."""

from __future__ import annotations

import functools
from importlib.metadata import PackageNotFoundError, version


@functools.cache
def user_agent() -> str:
    """`hirewire/0.1.0`; without a version where the distribution is not installed."""
    try:
        return f"hirewire/{version('hirewire')}"
    except PackageNotFoundError:
        return "hirewire"
