"""Which database the configuration means. Light on purpose: reading commands import no more."""

from __future__ import annotations

import sqlalchemy as sa

from config.settings import Settings
from worker.storage.database import reader, sqlite_url, writer

DATABASE_FILE = "hirewire.db"
_SPARE_CONNECTIONS = 4


def database_url(settings: Settings) -> str:
    """The configured database, or a SQLite file in the state folder."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    return sqlite_url(settings.state_dir / DATABASE_FILE)


def open_writer(settings: Settings) -> sa.Engine:
    return writer(database_url(settings), pool_size=settings.engine.shards + _SPARE_CONNECTIONS)


def open_reader(settings: Settings) -> sa.Engine:
    return reader(database_url(settings))
