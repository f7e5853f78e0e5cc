"""Fixtures of the storage contract: a migrated database of each kind, and a store over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from worker.storage.database import writer
from worker.storage.store import SqlStore

SHARDS = 2


def _opened(url: str) -> Iterator[sa.Engine]:
    engine = writer(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A writing engine; the test runs once on SQLite and once on PostgreSQL."""
    yield from _opened(database_url)


@pytest.fixture
def sqlite_engine(sqlite_database_url: str) -> Iterator[sa.Engine]:
    yield from _opened(sqlite_database_url)


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[sa.Engine]:
    yield from _opened(postgres_url)


@pytest.fixture
def store(engine: sa.Engine) -> SqlStore:
    return SqlStore(engine, SHARDS)


@pytest.fixture
def postgres_store(postgres_engine: sa.Engine) -> SqlStore:
    return SqlStore(postgres_engine, SHARDS)
