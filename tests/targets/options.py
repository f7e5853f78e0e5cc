"""Settings of a target that change its behaviour while it runs, replaced on each reset.

Read by the views of every thread; written by the control API and by the styles that have a
settings endpoint of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

_lock = threading.Lock()
_values: dict[str, Any] = {}


def replace(values: Mapping[str, Any]) -> None:
    with _lock:
        _values.clear()
        _values.update(values)


def update(values: Mapping[str, Any]) -> None:
    with _lock:
        _values.update(values)


def remove(prefix: str) -> None:
    """Forget every option whose name starts with `prefix`."""
    with _lock:
        for name in [name for name in _values if name.startswith(prefix)]:
            del _values[name]


def get(name: str, default: Any = None) -> Any:
    with _lock:
        return _values.get(name, default)


def everything() -> dict[str, Any]:
    with _lock:
        return dict(_values)
