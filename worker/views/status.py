"""How it stands with every target, and what is open in all: what `hirewire status` shows, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from config.settings import Settings
from connectors.sdk.model import Json
from worker.storage.audit import stamp
from worker.storage.clock import clock
from worker.storage.freshness import (
    WINDOW_S,
    Alarm,
    Freshness,
    TargetLook,
    Totals,
    freshness,
    targets,
    totals,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One target of the configuration, of the database, or of both."""

    name: str
    connector: str | None
    mode: str | None
    look: TargetLook
    fresh: Freshness | None


@dataclass(frozen=True, slots=True)
class Look:
    at: float
    rows: tuple[Row, ...]
    totals: Totals


def look(engine: sa.Engine, settings: Settings) -> Look:
    with engine.connect() as connection:
        now = clock(connection)
        known = {found.name: found for found in targets(connection, now)}
        fresh = freshness(connection, sorted(known), now)
        whole = totals(connection, now)
    rows = [_row(name, settings, known, fresh) for name in sorted({*known, *settings.targets})]
    return Look(now, tuple(rows), whole)


def _row(
    name: str, settings: Settings, known: Mapping[str, TargetLook], fresh: Mapping[str, Freshness]
) -> Row:
    configured = settings.targets.get(name)
    return Row(
        name,
        configured.connector if configured else None,
        configured.mode if configured else None,
        known.get(name) or TargetLook(0, name, "new"),
        fresh.get(name),
    )


def since(moment_at: float | None, now: float) -> float | None:
    return None if moment_at is None else round(now - moment_at, 3)


def status_json(seen: Look) -> dict[str, Json]:
    return {
        "at": stamp(seen.at),
        "freshness_window_s": WINDOW_S,
        "targets": [row_json(row, seen.at) for row in seen.rows],
        "events_to_fold": seen.totals.waiting,
        "events_for_later": seen.totals.scheduled,
        "dates_ahead": seen.totals.wakes,
        "open_runs": seen.totals.open_runs,
        "alarms": [alarm_json(alarm) for alarm in seen.totals.alarms],
    }


def alarm_json(alarm: Alarm) -> dict[str, Json]:
    return {
        "kind": alarm.kind,
        "target": alarm.target,
        "message": alarm.message,
        "raised_at": stamp(alarm.raised_at),
    }


def row_json(row: Row, now: float) -> dict[str, Json]:
    seen = row.look
    return {
        "name": row.name,
        "connector": row.connector,
        "mode": row.mode,
        "state": seen.state,
        "reason": seen.reason,
        "gated_for_s": None if seen.gate_until is None else round(seen.gate_until - now, 3),
        "accounts": seen.accounts,
        "due": seen.due,
        "oldest_due_s": since(seen.oldest_due_at, now),
        "in_flight": seen.in_flight,
        "later": seen.later,
        "in_doubt": seen.in_doubt,
        "oldest_in_doubt_s": since(seen.oldest_doubt_at, now),
        "held": seen.held,
        "freshness": asdict(row.fresh) if row.fresh else None,
    }
