"""`python -m worker.stack.bound FILE NAME`: become the program NAME of FILE, bound to its parent's life.

Supervisor's configuration cannot carry every path or argument (`%`, ` ;` and ` #` have meanings in it), so
the commands stand in a JSON file of lists. On Linux the kernel sends SIGTERM to the program when its parent
dies, however it dies: nothing outlives a killed supervisor. Elsewhere the lock and the orphan rule remain.
NAME.pid beside FILE says which process it is.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def main(file: Path, name: str) -> None:
    """Does not return. Raises KeyError for an unknown name, OSError where the program cannot be executed."""
    command: list[str] = json.loads(file.read_text(encoding="utf-8"))[name]
    (file.parent / f"{name}.pid").write_text(str(os.getpid()), encoding="utf-8")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.execvp(command[0], command)  # noqa: S606 - a list without a shell is the point


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
