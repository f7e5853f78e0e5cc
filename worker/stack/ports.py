"""Ports for sidecars and our HTTP interface. Another program may take one between choice and start."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from contextlib import ExitStack

from config.settings import Settings, Sidecar
from worker.stack.errors import StackError

_HOST = "127.0.0.1"


def choose(sidecars: Mapping[str, Sidecar]) -> dict[str, int]:
    """A port for each sidecar: its own, or a free one. Raises `StackError` where its own is taken."""
    with ExitStack() as held:
        return {
            name: _bound(f"sidecar {name}", _HOST, sidecar.port, held) for name, sidecar in sidecars.items()
        }


def listening(settings: Settings, taken: Collection[int] = ()) -> Settings:
    """The settings with the port that our HTTP interface gets: its own, or a free one that is not `taken`."""
    with ExitStack() as held:
        port = _bound("api", settings.api.host, settings.api.port, held)
        while settings.api.port == 0 and port in taken:
            port = _bound("api", settings.api.host, 0, held)
    return settings.model_copy(update={"api": settings.api.model_copy(update={"port": port})})


def accepts(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _bound(who: str, host: str, wanted: int, held: ExitStack) -> int:
    """Held until all are chosen, so that no two get the same."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = held.enter_context(socket.socket(family))
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((host, wanted))
    except OSError as error:
        raise StackError(f"port {wanted} of {who} cannot be used: {error.strerror}") from None
    port: int = probe.getsockname()[1]
    return port
