"""Fixtures of the HTTP interface's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.api.office import Office, office_of
from tests.worker.engine.rig import Rig, settings_for

APPROVED = "is_superuser"
OPTIONS = {
    "awx": {"mapping": {APPROVED: "custom.admin"}, "privileged": {APPROVED: "approve"}},
    "spare": {"mode": "observe"},
}


@pytest.fixture
def office(tmp_path: Path, sqlite_database_url: str, awx_target: ReferenceTarget) -> Iterator[Office]:
    """With the reference AWX, and a target that nothing is sent to."""
    targets = {"awx": awx_target, "spare": awx_target}
    rig = Rig(settings_for(sqlite_database_url, tmp_path, targets, options=OPTIONS))
    try:
        with office_of(rig) as opened:
            yield opened
    finally:
        rig.close()
