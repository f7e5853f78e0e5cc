"""A deployment as docker-compose.yml has it, without containers, on services of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.running import Deployment
from tests.deployment.services import Broker, Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.postgres import PostgresServer
    from tests.fixtures.targets import ReferenceTarget


@pytest.fixture
def deployment(
    tmp_path: Path, postgres_server: PostgresServer, awx_target: ReferenceTarget
) -> Iterator[Deployment]:
    """Database and broker run, with the roles made; nothing is migrated and no program runs yet."""
    folder = tmp_path / "room"
    folder.mkdir()
    database, broker = Database(postgres_server), Broker()
    with Deployment(folder, database, broker, awx_target) as made:
        yield made
