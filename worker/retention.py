"""What the configuration means for retention. Light on purpose, as `worker.databases`."""

from __future__ import annotations

from config.settings import Settings
from worker.engine.ports import Stopping
from worker.storage.prune import Pruner
from worker.storage.retention import Aged, Decisions, Prunable
from worker.storage.retention_events import Events
from worker.storage.retention_runs import CHILDREN, OfRuns, Runs
from worker.storage.store import SqlStore
from worker.storage.tables import alarm, idempotency, refused_body, revocation

HOUR_S, DAY_S = 3_600.0, 86_400.0


def prunable(settings: Settings) -> tuple[Prunable, ...]:
    """Every kind, in the order in which they go: what hangs on a run before the run."""
    kept = settings.retention
    runs_s = kept.runs_days * DAY_S
    revoked_s = max(DAY_S, settings.engine.brake_window_s)  # the brake counts no older ones
    return (
        Aged("refused bodies", refused_body, refused_body.c.at, kept.refused_bodies_days * DAY_S),
        Aged("idempotency keys", idempotency, idempotency.c.at, kept.idempotency_hours * HOUR_S),
        Aged("revocations", revocation, revocation.c.at, revoked_s),
        Aged("alarms", alarm, alarm.c.cleared_at, kept.alarms_days * DAY_S),
        Decisions(kept.decisions_days * DAY_S),
        *(OfRuns(name, key, runs_s) for name, key in CHILDREN.items()),
        Runs(runs_s),
        Events(kept.events_days * DAY_S),
    )


def build_pruner(settings: Settings, store: SqlStore, stopping: Stopping) -> Pruner:
    return Pruner(store, prunable(settings), stopping, settings.retention.prune_every_hours * HOUR_S)
