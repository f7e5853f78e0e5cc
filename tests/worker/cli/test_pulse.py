"""Worker and beat as processes: their heartbeats."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import Installation, start_programs
from worker.storage import heartbeats
from worker.storage.tables import heartbeat

EVERY_S = 0.5


@pytest.mark.slow
def test_worker_and_beat_say_that_they_live_until_they_end(connected: Installation) -> None:
    connected.environ["HIREWIRE_ENGINE__HEARTBEAT_S"] = str(EVERY_S)
    start_programs(connected)
    worker, beat = connected.started

    def seen() -> dict[str, int]:
        with connected.rows.connect() as connection:
            return {kind.value: pulse.alive for kind, pulse in heartbeats.pulses(connection, EVERY_S).items()}

    until(lambda: seen() == {"worker": 1, "beat": 1}, "both live")
    connected.stop(worker)
    until(lambda: seen() == {"worker": 0, "beat": 1}, "the worker has gone in order")
    with connected.rows.connect() as connection:
        assert list(connection.scalars(sa.select(heartbeat.c.kind))) == ["beat"]
    beat.kill()
    until(lambda: seen() == {"worker": 0, "beat": 0}, "a beat that was killed is missed")
