"""Databases by the dozen: each try of a proof starts with an empty one, copied and not migrated anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.faults.forge import Forge
from tests.fixtures.postgres import PostgresServer

SQLITE, POSTGRESQL = "sqlite", "postgresql"
MakeDatabase = Callable[[str], str]


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """Where workers are forked; one for each test process."""
    made = Forge(tmp_path_factory.mktemp("forge") / "stderr")
    yield made
    made.close()


@pytest.fixture
def make_database(
    tmp_path: Path, request: pytest.FixtureRequest, migrated_file: Path
) -> Iterator[MakeDatabase]:
    """The URL of a new, migrated, empty database of this kind."""
    numbers = count(1)
    made: list[tuple[PostgresServer, str]] = []

    def make(kind: str) -> str:
        if kind == SQLITE:
            file = tmp_path / f"{next(numbers)}.db"
            shutil.copy(migrated_file, file)
            return f"sqlite:///{file}"
        server: PostgresServer = request.getfixturevalue("postgres_server")
        template: str = request.getfixturevalue("migrated_database")
        name = server.create_database(template)
        made.append((server, name))
        return server.url(name)

    yield make
    for server, name in made:
        server.drop_database(name)
