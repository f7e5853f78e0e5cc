"""A sync that ran dry: whoever has something for its shard afterwards is heard at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import RecordedSignals, Rig, settings_for


class Key(RecordedSignals):
    """`set`: signals for the shard are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.set = False

    def sync_runs(self, shard: int) -> None:  # noqa: ARG002 - the port's
        self.set = True

    def sync_seen(self, shard: int) -> None:  # noqa: ARG002 - the port's
        self.set = False


@pytest.fixture
def rig(tmp_path: Path, awx_target: ReferenceTarget, sqlite_database_url: str) -> Iterator[Rig]:
    often = {"signal_ttl_s": 0.01, "linger_s": 0.02}  # it says that it runs at every turn
    made = Rig(settings_for(sqlite_database_url, tmp_path, {"awx": awx_target}, often), Key())
    yield made
    made.close()


def test_after_a_sync_that_ran_dry_the_next_signal_counts(rig: Rig) -> None:
    rig.say("E1", {"user_name": "anna.berg", "given_name": "Anna", "family_name": "Berg"})
    rig.work()
    assert not rig.signals.set
    assert rig.sync() == 0
    assert not rig.signals.set
