"""Programs that a killed supervisord left: known by the pid files that `worker.stack.bound` wrote.

Acts only on what this launcher's own runtime folder names, while that folder still exists.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

_LOOK_S = 0.05
_KILL_PATIENCE_S = 5.0


def end(folder: Path, names: Sequence[str], patience_s: float) -> None:
    """SIGTERM to those that run, SIGKILL to those that still do after `patience_s` seconds.

    In the order worker first, broker last: the reverse of `names`.
    """
    for name in reversed(names):
        pid = _pid(folder / f"{name}.pid")
        if pid is not None and is_alive(pid):
            _send(pid, signal.SIGTERM)
            if not _gone(pid, patience_s):
                _send(pid, signal.SIGKILL)
                _gone(pid, _KILL_PATIENCE_S)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


def _pid(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone(pid: int, patience_s: float) -> bool:
    limit = time.monotonic() + patience_s
    while is_alive(pid):
        if time.monotonic() > limit:
            return False
        time.sleep(_LOOK_S)
    return True
