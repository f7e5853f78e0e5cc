"""What beat sends. Two beats are allowed: everything it starts is decided by rows."""

from __future__ import annotations

from typing import Any

from config.settings import Engine
from worker.signals import CONTROL_QUEUE


def schedule(engine: Engine) -> dict[str, dict[str, Any]]:
    """The relay, with messages that expire before the next one but one."""
    options = {"queue": CONTROL_QUEUE, "expires": max(1.0, 2 * engine.relay_every_s)}
    return {"relay": {"task": "hirewire.relay", "schedule": engine.relay_every_s, "options": options}}
