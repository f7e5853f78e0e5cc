"""Workers in processes of their own: forked where nothing else runs, so that no lock of others is copied.

`Forge` is a process without threads that has everything imported; it forks a child for each call that it is
given, and tells how the children ended. `python -m tests.faults.forge` is its inside.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
UNHARMED, FAILED, KILLED = 0, 71, -signal.SIGKILL
LIMIT_S = 60
Call = tuple[Callable[..., None], tuple[Any, ...]]
_LENGTH = struct.Struct("!I")


class Trap:
    """A reporter (`tests.faults.moments`) that kills its process when the moment comes for the `nth` time."""

    def __init__(self, moment: str, nth: int = 1) -> None:
        self._moment = moment
        self._left = nth
        self._lock = threading.Lock()

    def __call__(self, moment: str) -> None:
        if moment != self._moment:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()  # the signal is on its way; nothing more happens here


class Forge:
    """Not for two threads at once. What a child writes to standard error is seen in the test's report."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        with errors.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.forge"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
            )

    def run(self, *calls: Call) -> list[int]:
        """Call each function with `ready` and its arguments, at once; the exit codes.

        `ready()` comes back when every child has called it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _write(self._process.stdin, calls)
        codes: list[int] = _read(self._process.stdout)
        assert FAILED not in codes, self._errors.read_text()
        return codes

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(LIMIT_S)
        self._process.stdout.close()


def _write(stream: IO[bytes], value: object) -> None:
    body = pickle.dumps(value)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def _read(stream: IO[bytes]) -> Any:
    head = stream.read(_LENGTH.size)
    if not head:
        raise EOFError
    return pickle.loads(stream.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - our own words


def _serve() -> None:
    while True:
        try:
            calls = _read(sys.stdin.buffer)
        except EOFError:
            return
        _write(sys.stdout.buffer, _all(calls))


def _all(calls: Sequence[Call]) -> list[int]:
    """Fork a child for each call; the gate opens when all stand before it."""
    counted, count = os.pipe()
    gate, key = os.pipe()
    children = [_child(call, count, gate, key) for call in calls]
    os.close(count)
    standing = 0
    while standing < len(children) and os.read(counted, 1):  # the end of the file: they have gone without
        standing += 1
    for descriptor in (key, gate, counted):
        os.close(descriptor)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _child(call: Call, count: int, gate: int, key: int) -> int:
    child = os.fork()
    if child == 0:
        os.close(key)
        _end(lambda: call[0](lambda: _stand(count, gate), *call[1]))
    return child


def _stand(count: int, gate: int) -> None:
    os.write(count, b"1")
    os.close(count)
    os.read(gate, 1)


def _end(work: Callable[[], None]) -> NoReturn:
    """In the child: work, and nothing else. One that hangs is ended, and is no success."""
    signal.alarm(LIMIT_S)
    code = FAILED
    try:
        work()
        code = UNHARMED
    except BaseException:  # noqa: BLE001 - whatever it was, it must be seen
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
