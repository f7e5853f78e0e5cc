"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for

MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path, awx_target: ReferenceTarget, sqlite_database_url: str) -> Iterator[MakeRig]:
    """A rig on SQLite with the reference AWX; arguments go to `settings_for`."""
    rigs: list[Rig] = []

    def make(
        targets: Mapping[str, ReferenceTarget] | None = None,
        database: str = sqlite_database_url,
        **more: Any,
    ) -> Rig:
        rigs.append(Rig(settings_for(database, tmp_path, targets or {"awx": awx_target}, **more)))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    return make_rig()
