"""Which programs a stack has, in which order they stop, and what they are told through the environment. Pure.

A program learns everything from its environment: the configuration file, the state folder, the broker's
socket, and the addresses of targets that sidecars serve.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.environment import TOKEN_VARIABLE
from config.settings import Settings, Sidecar
from worker.stack import broker

BROKER: Final = "broker"
WORKER: Final = "worker"
BEAT: Final = "beat"
API: Final = "api"

_QUICK_STOP_S: Final = 10
_WORKER_STOP_S: Final = 45
"""A worker finishes the requests in flight, writes their outcomes and lets its leases go."""


@dataclass(frozen=True, slots=True)
class Commands:
    """How the programs of Hirewire itself are called. `migrate` ends; the others run until SIGTERM."""

    migrate: Sequence[str]
    worker: Sequence[str]
    beat: Sequence[str]
    api: Sequence[str]


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program. Those with a higher `rank` stop first; all of rank 0 stop last.

    `port` is where it will listen, None where that is not known.
    """

    name: str
    command: tuple[str, ...]
    rank: int
    stop_wait_s: int = _QUICK_STOP_S
    early: bool = True  # started before the database is migrated
    port: int | None = None


def hirewire_commands() -> Commands:
    """The programs as `hirewire` itself provides them, with the Python that runs now."""
    return Commands(
        *((sys.executable, "-m", "worker.cli.main", name) for name in ("migrate", "worker", "beat", "api"))
    )


def programs(
    settings: Settings, commands: Commands, ports: Mapping[str, int], socket: Path
) -> tuple[Program, ...]:
    """Broker (if it is ours), sidecars, worker, beat, API. `ports` has one for each sidecar."""
    embedded = settings.broker.url is None
    found = [Program(BROKER, broker.command(socket), rank=0)] if embedded else []
    for name, sidecar in settings.stack.sidecars.items():
        found.append(
            Program(
                f"sidecar-{name}",
                _filled(sidecar, ports[name]),
                rank=1,
                port=_listening(sidecar, ports[name]),
            )
        )
    worker = Program(WORKER, tuple(commands.worker), rank=2, stop_wait_s=_WORKER_STOP_S, early=False)
    beat = Program(BEAT, tuple(commands.beat), rank=3, early=False)
    return (*found, worker, beat, _api(settings, commands))


def _api(settings: Settings, commands: Commands) -> Program:
    """It gets its own time for the requests under way, and what the rest of a stop takes."""
    wait = settings.api.stop_s + _QUICK_STOP_S
    return Program(API, tuple(commands.api), rank=4, stop_wait_s=wait, early=False, port=settings.api.port)


def addresses(settings: Settings, ports: Mapping[str, int], socket: Path) -> dict[str, str]:
    """The variables that tell where this stack's broker, API and sidecars are."""
    found = {"HIREWIRE_BROKER__URL": broker.url(socket)} if settings.broker.url is None else {}
    found["HIREWIRE_API__PORT"] = str(settings.api.port)
    for name, sidecar in settings.stack.sidecars.items():
        if sidecar.target is not None:
            url = f"http://127.0.0.1:{ports[name]}{sidecar.path}"
            found[f"HIREWIRE_TARGETS__{sidecar.target.upper()}__BASE_URL"] = url
    return found


def environment(settings: Settings, config_path: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for programs whose working folder is the state folder: every path in it made absolute."""
    found = {**environ, **_absolute(settings, environ), "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}
    found["HIREWIRE_STATE_DIR"] = str(settings.state_dir.absolute())
    if config_path is not None:
        found["HIREWIRE_CONFIG"] = str(config_path.absolute())
    found.pop(TOKEN_VARIABLE, None)  # it is a person's, no program's
    return found


def _absolute(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The loaded, absolute values of those path variables that `environ` sets."""
    known: dict[str, object] = {}
    if settings.database.url is not None:
        known["HIREWIRE_DATABASE__URL"] = settings.database.url.get_secret_value()
    known["HIREWIRE_DATABASE__URL_FILE"] = settings.database.url_file
    known["HIREWIRE_BROKER__URL_FILE"] = settings.broker.url_file
    for name, source in settings.sources.items():
        for which, secret in source.secrets.items():
            variable = f"HIREWIRE_SOURCES__{name.upper()}__SECRETS__{which.upper()}__SECRET_FILE"
            known[variable] = secret.secret_file
    for name, target in settings.targets.items():
        known[f"HIREWIRE_TARGETS__{name.upper()}__CREDENTIAL__SECRET_FILE"] = target.credential.secret_file
        known[f"HIREWIRE_TARGETS__{name.upper()}__TLS_VERIFY"] = target.tls_verify
    return {
        name: os.fspath(value)
        for name, value in known.items()
        if name in environ and isinstance(value, str | Path)
    }


def _filled(sidecar: Sidecar, port: int) -> tuple[str, ...]:
    return tuple(
        word.replace("{port}", str(port)).replace("{python}", sys.executable) for word in sidecar.command
    )


def _listening(sidecar: Sidecar, port: int) -> int | None:
    return port if any("{port}" in word for word in sidecar.command) else None
