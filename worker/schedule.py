"""What beat sends. Two beats are allowed: everything it starts is decided by rows."""

from __future__ import annotations

from typing import Any

from config.settings import Audit, Engine, Retention
from worker.signals import CONTROL_QUEUE

_PRUNE_POKE_S = 60.0  # a row says whether the interval is over


def schedule(engine: Engine, audit: Audit, retention: Retention) -> dict[str, dict[str, Any]]:
    """Relay, sealer, timetable and pruner, with messages that expire before the next one but one."""
    prune = {"prune": _every(_PRUNE_POKE_S, "hirewire.prune")} if retention.prune_every_hours else {}
    return {
        **prune,
        "relay": _every(engine.relay_every_s, "hirewire.relay"),
        "seal": _every(audit.seal_every_s, "hirewire.seal"),
        "schedule": _every(engine.schedule_every_s, "hirewire.schedule"),
    }


def _every(seconds: float, task: str) -> dict[str, Any]:
    options = {"queue": CONTROL_QUEUE, "expires": max(1.0, 2 * seconds)}
    return {"task": task, "schedule": seconds, "options": options}
