"""Where a stack keeps things: the state folder that stays, and a short runtime folder that goes with it.

One stack for each state folder: a lock says so, held by the launcher and let go by the kernel when it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from worker.stack.errors import StackError

RUNTIME_PREFIX: Final = "hw-"
LONGEST_SOCKET: Final = 100
"""Bytes: the kernel's limit for the path of a unix socket is 107, elsewhere 103."""

_ROOM_FOR_NAME = len("/hw-xxxxxxxx/supervisor.sock")
_LOCK_PATIENCE_S = 1.0  # a look by `is_locked` holds the lock for an instant


@contextmanager
def locked(state_dir: Path) -> Iterator[None]:
    """The state folder is ours; made where it is missing. Raises `StackError` while another stack has it."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / "lock").open("a+") as file:
        if not _taken(file.fileno(), fcntl.LOCK_EX):
            file.seek(0)
            raise StackError(f"{state_dir} is in use by another stack (process {file.read().strip() or '?'})")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def is_locked(state_dir: Path) -> bool:
    """Whether a stack runs on this state folder."""
    try:
        file = (state_dir / "lock").open()
    except OSError:
        return False
    with file:
        return not _try(file.fileno(), fcntl.LOCK_SH)


def _taken(descriptor: int, how: int) -> bool:
    limit = time.monotonic() + _LOCK_PATIENCE_S
    while not _try(descriptor, how):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def _try(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A new folder that only we can enter, short enough for sockets, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=RUNTIME_PREFIX, dir=_short_parent()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_parent() -> str:
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp"):  # noqa: S108 - mkdtemp makes it ours
        if (
            parent
            and len(os.fsencode(parent)) + _ROOM_FOR_NAME <= LONGEST_SOCKET
            and os.access(parent, os.W_OK | os.X_OK)
        ):
            return parent
    return tempfile.gettempdir()
