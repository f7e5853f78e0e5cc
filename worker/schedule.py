"""What beat sends. Two beats are allowed: everything it starts is decided by rows."""

from __future__ import annotations

from typing import Any

from config.settings import Audit, Engine
from worker.signals import CONTROL_QUEUE


def schedule(engine: Engine, audit: Audit) -> dict[str, dict[str, Any]]:
    """The relay and the sealer, with messages that expire before the next one but one."""
    return {
        "relay": _every(engine.relay_every_s, "hirewire.relay"),
        "seal": _every(audit.seal_every_s, "hirewire.seal"),
    }


def _every(seconds: float, task: str) -> dict[str, Any]:
    options = {"queue": CONTROL_QUEUE, "expires": max(1.0, 2 * seconds)}
    return {"task": task, "schedule": seconds, "options": options}
