"""`runtime.json` in the state folder: where a running stack's broker and sidecars are.

Written before anything starts and removed after everything has stopped. What it says counts only while the
state folder is locked; a file without a lock is what a killed stack left behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from worker.stack.folders import is_locked

FILE: Final = "runtime.json"


@dataclass(frozen=True, slots=True)
class Runtime:
    """`folder` holds the sockets; `environment` is what other processes need to reach this stack."""

    launcher: int
    folder: str
    environment: dict[str, str]

    @property
    def broker_socket(self) -> Path:
        return Path(self.folder) / "valkey.sock"


def write(state_dir: Path, runtime: Runtime) -> None:
    """Atomically: a reader sees the whole file or none."""
    new = state_dir / f"{FILE}.new"
    new.write_text(json.dumps(asdict(runtime), indent=1), encoding="utf-8")
    new.replace(state_dir / FILE)


def read(state_dir: Path) -> Runtime | None:
    """None where there is no file, or none that we wrote."""
    try:
        found = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
        return Runtime(int(found["launcher"]), str(found["folder"]), dict(found["environment"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove(state_dir: Path) -> None:
    (state_dir / FILE).unlink(missing_ok=True)


def overlay(environ: Mapping[str, str], state_dir: Path) -> dict[str, str]:
    """The variables a command needs to reach the stack that runs on `state_dir`; empty when none does.

    What `environ` says already is left out: an explicit variable wins.
    """
    runtime = read(state_dir) if is_locked(state_dir) else None
    found = runtime.environment if runtime else {}
    return {name: value for name, value in found.items() if name not in environ}
