"""A target that refuses changes and answers every probe: asked ever more rarely, the alarm stays."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.engine.test_faults import fault
from worker.domain.answer import Blame
from worker.engine.target import Health
from worker.storage import tables

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig

NAMES = [f"p{number}" for number in range(6)]
PROBE_S = 0.2


@pytest.fixture
def refused(make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget) -> Rig:
    """Six people have something new, and our token may only read."""
    people = [{"username": name, "first_name": "P", "last_name": name} for name in NAMES]
    awx_target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *people])
    rig = make_rig(database=database_url, engine={"probe_every_s": PROBE_S, "probe_max_s": PROBE_S * 4})
    for name in NAMES:
        rig.say(name, {"user_name": name, "given_name": "P", "family_name": name})
    rig.work()
    awx_target.faults([fault("status", times=None, status=403, body={"detail": "read only"})])
    for name in NAMES:
        rig.say(name, {"given_name": "Q"})
    rig.fold()
    return rig


def pause_again(rig: Rig, times: int) -> None:
    def is_so() -> bool:
        rig.sync()
        rig.runtime.relay.run()
        return len(rig.actions("target:pause:paused")) >= times

    until(is_so, f"it is paused {times} times")


def waits(rig: Rig) -> list[float]:
    """Seconds from each pause to its end."""
    records = rig.audit("target:pause:")
    return [
        seconds(after["at"]) - seconds(before["at"])
        for before, after in pairwise(records)
        if before["action"].endswith("paused") and after["action"].endswith("resumed")
    ]


def seconds(stamp: str) -> float:
    hours, minutes, rest = stamp[11:].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def open_alarms(rig: Rig) -> list[str]:
    alarm = tables.alarm
    with rig.writer.connect() as connection:
        return list(connection.scalars(sa.select(alarm.c.kind).where(alarm.c.cleared_at.is_(None))))


def test_each_further_pause_lasts_twice_as_long_up_to_the_limit(refused: Rig) -> None:
    pause_again(refused, 5)
    lasted = waits(refused)
    assert len(lasted) >= 4
    for wait, least in zip(lasted, [PROBE_S, PROBE_S * 2, PROBE_S * 4, PROBE_S * 4], strict=False):
        assert wait >= least


def test_the_alarm_stays_open_from_the_first_pause_to_the_first_change_that_is_taken(
    refused: Rig, awx_target: ReferenceTarget
) -> None:
    pause_again(refused, 2)
    assert open_alarms(refused) == ["target_paused"]
    with refused.writer.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.alarm)) == 1
    awx_target.clear_faults()
    refused.work(seconds=20)
    assert open_alarms(refused) == []
    assert {row["first_name"] for row in awx_target.rows() if row["username"] != "admin"} == {"Q"}
    (over,) = refused.audit("target:pause:over")
    assert over["pauses"] >= 2
    with refused.runtime.store.begin() as tx:
        assert (tx.targets.all()[0].pauses, tx.targets.all()[0].pause_kind) == (0, None)


def test_after_a_resume_only_few_try(refused: Rig, awx_target: ReferenceTarget) -> None:
    pause_again(refused, 1)
    before = len(awx_target.writes())
    pause_again(refused, 2)
    asked = {write["path"] for write in awx_target.writes()[before:]}  # one of them may ask twice
    assert 0 < len(asked) <= refused.settings.engine.pause_after


def test_on_trial_each_refusal_takes_one_of_the_places() -> None:
    health = Health(pause_after=3, missing_per_minute=20)
    health.pause_kind = Blame.TARGET_REFUSES.value
    assert health.trial == 3
    for account, places in ((1, 2), (1, 2), (2, 1), (3, 1)):  # never none: the target would be stuck
        health.failed(Blame.TARGET_REFUSES, account)
        assert health.trial == places
