"""Where an event is, at each target: derived from rows and audit, and right after each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_path import ANNA
from worker.databases import open_reader
from worker.engine.tracing import Folding, There, Tracing
from worker.storage.view import SqlViewer


@contextmanager
def tracing(rig: Rig) -> Iterator[Tracing]:
    engine = open_reader(rig.settings)
    yield Tracing(SqlViewer(engine), frozenset(rig.settings.targets))
    engine.dispose()


def state(trace: Tracing, event_id: str | None) -> tuple[Folding, There]:
    found = trace.of("hr", str(event_id))
    assert found is not None
    return found.folding, found.targets["awx"]


def test_an_event_is_followed_until_the_target_has_it(rig: Rig) -> None:
    first = rig.say("E1", {**ANNA, "given_name": "Annika"}).event_id
    with tracing(rig) as trace:
        assert state(trace, first) == (Folding.WAITING, There.WAITING)
        rig.fold()
        assert state(trace, first) == (Folding.CHANGED, There.WAITING)
        rig.work()
        assert state(trace, first) == (Folding.CHANGED, There.APPLIED)
        assert trace.of("payroll", str(first)) is None
        assert trace.of("hr", "nobody") is None


def test_what_need_not_be_sent_and_what_was_said_anew_is_told_apart(rig: Rig) -> None:
    rig.say("E1", ANNA)
    rig.work()
    again = rig.say("E1", ANNA).event_id
    rig.work()
    one, other = (rig.say("E1", {"given_name": name}).event_id for name in ("Anja", "Annika"))
    rig.work()
    elsewhere = rig.say("E1", {"department": "Kitchen"}).event_id
    rig.work()
    with tracing(rig) as trace:
        assert state(trace, again) == (Folding.UNCHANGED, There.NO_OP)
        assert state(trace, one) == (Folding.CHANGED, There.SUPERSEDED)
        assert state(trace, other) == (Folding.CHANGED, There.APPLIED)
        assert state(trace, elsewhere) == (Folding.CHANGED, There.NO_OP)


def test_an_older_event_that_came_late_is_superseded_at_once(rig: Rig) -> None:
    rig.say("E1", ANNA)
    late = rig.say("E1", {"given_name": "Anja"}, time="2025-01-01T00:00:00Z").event_id
    rig.work()
    with tracing(rig) as trace:
        assert state(trace, late) == (Folding.SUPERSEDED, There.SUPERSEDED)


def test_what_the_target_cannot_take_is_held(rig: Rig) -> None:
    rig.say("E1", ANNA)
    rig.work()
    held = rig.say("E1", {"family_name": "A" * 200}).event_id
    rig.work()
    with tracing(rig) as trace:
        assert state(trace, held) == (Folding.CHANGED, There.HELD)
        rig.say("E1", {"family_name": "Berg"})
        rig.work()
        assert state(trace, held) == (Folding.CHANGED, There.SUPERSEDED)


def test_an_observed_target_has_only_plans(make_rig: MakeRig) -> None:
    rig = make_rig(options={"awx": {"mode": "observe"}})
    said = rig.say("E1", {**ANNA, "given_name": "Annika"}).event_id
    rig.work()
    with tracing(rig) as trace:
        assert state(trace, said) == (Folding.CHANGED, There.PLANNED)
