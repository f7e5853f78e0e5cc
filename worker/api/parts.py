"""What the HTTP interface works with, opened once for its process."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from celery import Celery

from config.settings import Settings
from worker.bootstrap import open_signals, open_store
from worker.databases import open_reader, open_writer
from worker.engine.accept import Intake
from worker.engine.ports import Signals
from worker.intake import build_intake
from worker.storage.store import SqlStore


@dataclass(frozen=True, slots=True)
class Parts:
    """One process's. `reader` is for answers that only look; threads share all of it."""

    store: SqlStore
    reader: sa.Engine
    signals: Signals
    intake: Intake

    def close(self) -> None:
        self.store.dispose()
        self.reader.dispose()


def open_parts(settings: Settings, app: Celery) -> Parts:
    """The database must be migrated; the broker may be away."""
    return assemble(settings, open_signals(settings, app))


def assemble(settings: Settings, signals: Signals) -> Parts:
    """The parts around these signals."""
    store = open_store(settings, open_writer(settings))
    return Parts(store, open_reader(settings), signals, build_intake(settings, store, signals))
