"""Commands in processes of their own, forked from one that has imported them: a third of the time.

`python -m tests.worker.cli.preloaded` is its inside: without threads, it forks a child for each command,
which has the files, the folder and the environment of whoever asked, and ends as a program does.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from worker.cli import main as door

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[3]
_NUMBER = struct.Struct("!i")
_MOST = 1 << 20
_STREAMS = 3


class Preloaded:
    """One at a time; `call` waits for the end of the command."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", "tests.worker.cli.preloaded", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
            )

    def call(
        self,
        words: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        files: Sequence[int],
        limit_s: float,
    ) -> int:
        """The exit code of `hirewire WORDS` with these files as standard input, output and error."""
        request = json.dumps([list(words), str(folder), dict(environ)]).encode()
        socket.send_fds(self._socket, [request], list(files))
        self._socket.settimeout(limit_s)
        (code,) = _NUMBER.unpack(self._socket.recv(_NUMBER.size))
        return int(code)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(60)


def serve(requests: socket.socket) -> int | None:
    """Fork a child for each request until nobody asks any more; a child returns its exit code."""
    while True:
        raw, files, _, _ = socket.recv_fds(requests, _MOST, _STREAMS)
        if not raw:
            return None
        child = os.fork()
        if child == 0:
            requests.close()
            _become(files, *json.loads(raw))
            return door.main()
        for file in files:
            os.close(file)
        requests.send(_NUMBER.pack(_ended(child)))


def _become(files: Sequence[int], words: list[str], folder: str, environ: dict[str, str]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115 - the program's own
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv = ["hirewire", *words]


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _load_everything() -> None:
    for name in door.COMMANDS:
        door.load(name)
    gc.freeze()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _load_everything()
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
