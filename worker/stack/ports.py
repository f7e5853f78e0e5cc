"""Ports of 127.0.0.1 for sidecars. Another program may take one between choice and start."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import ExitStack

from config.settings import Sidecar
from worker.stack.errors import StackError

_HOST = "127.0.0.1"


def choose(sidecars: Mapping[str, Sidecar]) -> dict[str, int]:
    """A port for each sidecar: its own, or a free one. Raises `StackError` where its own is taken."""
    with ExitStack() as held:
        return {name: _bound(name, sidecar.port, held) for name, sidecar in sidecars.items()}


def accepts(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _bound(name: str, wanted: int, held: ExitStack) -> int:
    """Held until all are chosen, so that no two sidecars get the same."""
    probe = held.enter_context(socket.socket())
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((_HOST, wanted))
    except OSError as error:
        raise StackError(f"port {wanted} of sidecar {name} cannot be used: {error.strerror}") from None
    port: int = probe.getsockname()[1]
    return port
