"""Heartbeats: who lives, by the database's clock; rows of the dead go."""

from __future__ import annotations

import sqlalchemy as sa

from worker.storage import heartbeats
from worker.storage.clock import clock
from worker.storage.heartbeats import Program, Pulse
from worker.storage.tables import heartbeat

EVERY_S = 10.0
NOBODY = Pulse(0, None)


def written(engine: sa.Engine, name: str, kind: Program, ago_s: float = 0.0) -> None:
    with engine.begin() as connection:
        heartbeats.note(connection, name, kind, EVERY_S)
        row = sa.update(heartbeat).where(heartbeat.c.name == name)
        connection.execute(row.values(at=clock(connection) - ago_s))


def seen(engine: sa.Engine) -> dict[Program, Pulse]:
    with engine.connect() as connection:
        return heartbeats.pulses(connection, EVERY_S)


def test_a_program_that_missed_three_beats_is_dead_and_the_others_kind_is_not(engine: sa.Engine) -> None:
    assert seen(engine) == {Program.WORKER: NOBODY, Program.BEAT: NOBODY}
    written(engine, "w1", Program.WORKER)
    written(engine, "w2", Program.WORKER, ago_s=2.9 * EVERY_S)
    written(engine, "b1", Program.BEAT, ago_s=3.1 * EVERY_S)
    found = seen(engine)
    assert found[Program.WORKER].alive == 2
    assert found[Program.BEAT].alive == 0
    assert (found[Program.BEAT].age_s or 0) >= 3 * EVERY_S


def test_a_beat_renews_its_own_row_and_removes_those_of_the_dead(engine: sa.Engine) -> None:
    written(engine, "w1", Program.WORKER, ago_s=11 * EVERY_S)
    written(engine, "b1", Program.BEAT, ago_s=9 * EVERY_S)
    written(engine, "b1", Program.BEAT)
    with engine.connect() as connection:
        assert list(connection.scalars(sa.select(heartbeat.c.name))) == ["b1"]
    assert seen(engine)[Program.BEAT].alive == 1


def test_a_program_that_ended_in_order_leaves_no_row(engine: sa.Engine) -> None:
    written(engine, "w1", Program.WORKER)
    with engine.begin() as connection:
        heartbeats.forget(connection, "w1")
    assert seen(engine)[Program.WORKER] == NOBODY
