"""The composition root: parts that belong together, or a refusal that says everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import ConfigurationError, Settings
from connectors.sdk.model import Json
from tests.worker.engine.rig import RecordedSignals
from tests.worker.storage.world import rows
from worker import bootstrap, celery_app, databases
from worker.storage import tables
from worker.storage.migrate import upgrade

EVENT: dict[str, Json] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "hr",
    "type": "hirewire.person.changed",
    "subject": "E1",
    "time": "2026-01-01T00:00:00Z",
    "data": {"title": "Nurse"},
}
TARGET: dict[str, Any] = {
    "connector": "awx",
    "base_url": "http://127.0.0.1:1",
    "credential": {"scheme": "bearer", "secret": "canary-of-a-secret"},
}


def settings_in(folder: Path, **targets: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {
            "state_dir": str(folder / "state"),
            "broker": {"url": f"redis+socket://{folder}/valkey.sock"},
            "sources": {"hr": {"attributes": ["title"], "ingest": True}},
            "targets": {name: TARGET | more for name, more in targets.items()},
        }
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, awx={"max_in_flight": 2, "scope": "active"}, other={})


@pytest.fixture
def runtime(settings: Settings) -> Iterator[bootstrap.Runtime]:
    engine = databases.open_writer(settings)
    upgrade(engine)
    engine.dispose()
    built = bootstrap.assemble(settings, RecordedSignals(), threading.Event())
    yield built
    built.executor.shutdown()
    built.store.dispose()


def stored(settings: Settings) -> list[str]:
    engine = databases.open_reader(settings)
    try:
        return [row.event_id for row in rows(engine, tables.event)]
    finally:
        engine.dispose()


def test_bad_targets_are_refused_with_every_problem_before_anything_is_opened(tmp_path: Path) -> None:
    bad = settings_in(tmp_path, one={"connector": "ldap"}, two={"base_url": "", "leaver": "deactivate"})
    with pytest.raises(ConfigurationError) as refused:
        bootstrap.assemble(bad, RecordedSignals(), threading.Event())
    paths = [line.partition(": ")[0] for line in refused.value.problems]
    assert paths == ["targets.one.connector", "targets.two.base_url", "targets.two.leaver"]
    assert "canary-of-a-secret" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_the_database_is_a_file_in_the_state_folder_unless_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "a folder%")
    assert databases.database_url(settings).endswith("/state/hirewire.db")
    assert settings.state_dir.is_dir()
    told = Settings.model_validate({"database": {"url": "postgresql://db.example.com/hirewire"}})
    assert databases.database_url(told) == "postgresql://db.example.com/hirewire"


def test_each_configured_target_has_its_row_and_slots(runtime: bootstrap.Runtime, settings: Settings) -> None:
    names = {row: target.name for row, target in runtime.targets.items()}
    with runtime.store.begin() as tx:
        assert {state.id: state.name for state in tx.targets.all()} == names
    engine = databases.open_reader(settings)
    counted = [names[row.target_id] for row in rows(engine, tables.slot)]
    engine.dispose()
    assert (counted.count("awx"), counted.count("other")) == (2, 4)


def test_a_runtime_names_no_secret(runtime: bootstrap.Runtime) -> None:
    assert "canary-of-a-secret" not in repr(runtime)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [([EVENT], {}), ([], {"event": EVENT})],
    ids=["in its place", "by its name"],
)
def test_an_event_from_the_broker_is_stored(
    runtime: bootstrap.Runtime, settings: Settings, args: list[Json], kwargs: dict[str, Json]
) -> None:
    runtime.ingest(args, kwargs)
    assert stored(settings) == ["e1"]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ([], {}),
        ([None], {}),
        (["not json \ud800"], {}),
        ([EVENT, EVENT], {}),
        ([EVENT], {"retries": 3}),
        ([{"data": float("nan")}], {}),
        ([EVENT | {"source": "stranger"}], {}),
    ],
    ids=["nothing", "null", "no JSON", "two", "one too many", "NaN", "unknown source"],
)
def test_whatever_else_reaches_the_broker_is_recorded_as_refused(
    runtime: bootstrap.Runtime, settings: Settings, args: list[Json], kwargs: dict[str, Json]
) -> None:
    runtime.ingest(args, kwargs)
    assert stored(settings) == []
    engine = databases.open_reader(settings)
    actions = [row.action for row in rows(engine, tables.audit)]
    engine.dispose()
    assert actions == ["event:accept:refused"]


def test_a_shard_without_work_settles_nothing(runtime: bootstrap.Runtime) -> None:
    assert runtime.sync(0) == 0


def test_a_worker_process_opens_its_runtime_on_the_broker_of_its_configuration(
    settings: Settings, runtime: bootstrap.Runtime
) -> None:
    app = celery_app.create(settings)
    opened = bootstrap.open_runtime(settings, app, threading.Event(), bootstrap.Unwatched())
    assert opened.targets.keys() == runtime.targets.keys()
    opened.executor.shutdown()
    opened.store.dispose()
