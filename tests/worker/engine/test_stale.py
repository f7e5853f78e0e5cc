"""The alarm `stale`: raised for work that may be done and is not, cleared when it is, never for a pause."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.worker.engine.test_path import ANNA
from worker.storage.freshness import Alarm, totals

if TYPE_CHECKING:
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig

LIMIT_S = 0.05


def alarms(rig: Rig) -> list[Alarm]:
    with rig.writer.connect() as connection:
        return [alarm for alarm in totals(connection, 0.0).alarms if alarm.kind == "stale"]


def look(rig: Rig) -> list[str | None]:
    """The targets that are stale, when a relay has looked after the limit."""
    threading.Event().wait(2 * LIMIT_S)
    rig.runtime.relay.run()
    return [alarm.target for alarm in alarms(rig)]


def test_late_work_raises_one_alarm_and_its_end_clears_it(make_rig: MakeRig, database_url: str) -> None:
    rig = make_rig(database=database_url, engine={"freshness_alarm_s": LIMIT_S})
    assert look(rig) == []
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.fold()
    assert look(rig) == look(rig) == ["awx"]
    assert "due for over 0.05 s" in alarms(rig)[0].message
    rig.work()
    assert look(rig) == []


def test_a_paused_target_is_not_late(make_rig: MakeRig) -> None:
    rig = make_rig(engine={"freshness_alarm_s": LIMIT_S})
    rig.say("E1", ANNA)
    rig.fold()
    assert look(rig) == ["awx"]
    with rig.runtime.store.begin() as tx:
        tx.targets.pause(1, "an operator said so", "operator:carla", None)
    assert look(rig) == []
    with rig.runtime.store.begin() as tx:
        tx.targets.resume(1)
    assert look(rig) == ["awx"]
