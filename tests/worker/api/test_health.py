"""`/healthz` and `/readyz`: without a token, without secrets, and each thing told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from config.settings import Settings
from tests.fixtures.valkey import ValkeyServer
from tests.worker.api.office import TIMEOUT_S, served
from tests.worker.engine.rig import RecordedSignals
from worker.api.health import readiness
from worker.api.parts import Parts, assemble
from worker.storage import heartbeats
from worker.storage.database import reader
from worker.storage.heartbeats import Program
from worker.storage.tables import heartbeat

ALL = {"database", "broker", "worker", "beat"}


@pytest.fixture
def settings(tmp_path: Path, database_url: str, valkey_url: str) -> Settings:
    return Settings.model_validate(
        {"state_dir": str(tmp_path), "database": {"url": database_url}, "broker": {"url": valkey_url}}
    )


@pytest.fixture
def parts(settings: Settings) -> Iterator[Parts]:
    found = assemble(settings, RecordedSignals())
    yield found
    found.close()


@pytest.fixture
def alive(settings: Settings, parts: Parts) -> Parts:
    """A worker and a beat have just said that they live."""
    _write(parts, "w", Program.WORKER, settings)
    _write(parts, "b", Program.BEAT, settings)
    return parts


def _write(parts: Parts, name: str, kind: Program, settings: Settings) -> None:
    with parts.reader.begin() as connection:
        heartbeats.note(connection, name, kind, settings.engine.heartbeat_s)


def missing(settings: Settings, parts: Parts) -> set[str]:
    seen = readiness(settings, parts)
    assert seen.status == ("ready" if all(check.ok for check in seen.checks.values()) else "not_ready")
    assert seen.checks.keys() == ALL
    return {name for name, check in seen.checks.items() if not check.ok}


def test_it_is_ready_where_all_is_there(settings: Settings, alive: Parts) -> None:
    assert missing(settings, alive) == set()


def test_a_program_that_is_silent_is_told_apart(settings: Settings, alive: Parts) -> None:
    with alive.reader.begin() as connection:
        connection.execute(sa.delete(heartbeat).where(heartbeat.c.name == "b"))
    assert missing(settings, alive) == {"beat"}
    with alive.reader.begin() as connection:
        connection.execute(sa.update(heartbeat).values(at=heartbeat.c.at - 31))
    assert missing(settings, alive) == {"beat", "worker"}


def test_a_broker_that_is_away_is_told_apart(
    settings: Settings, alive: Parts, valkey_server: ValkeyServer
) -> None:
    valkey_server.kill()
    assert missing(settings, alive) == {"broker"}


def test_a_database_that_is_away_takes_what_it_tells_with_it(
    settings: Settings, parts: Parts, tmp_path: Path
) -> None:
    gone = reader(f"sqlite:///{tmp_path / 'no' / 'such.db'}")
    assert missing(settings, replace(parts, reader=gone)) == {"database", "worker", "beat"}
    gone.dispose()


def test_both_need_no_token_and_tell_no_secret(settings: Settings, alive: Parts) -> None:
    with served(settings, alive) as url:
        lives = requests.get(f"{url}/healthz", timeout=TIMEOUT_S)
        ready = requests.get(f"{url}/readyz", timeout=TIMEOUT_S)
    assert (lives.status_code, lives.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    text = ready.text.lower()
    assert not any(word in text for word in ("postgres", "sqlite", "redis", "socket", "/"))
