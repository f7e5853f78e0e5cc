"""authentik's own traps on the whole path: a token that dies at work, a write that lands late."""

from __future__ import annotations

from typing import Any

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, ReferenceTarget
from tests.waiting import until
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig

EVE: dict[str, Any] = {"id": 10, "username": "eve", "name": "Eve Moss", "email": "eve@example.com"}
SYNC = {"id": 20, "username": "sync", "rights": ["view_user", "change_user"]}
KNOWN = {"user_name": "eve", "given_name": "Eve", "family_name": "Moss", "email": "eve@example.com"}


def seed(target: ReferenceTarget, *, active: bool = True) -> None:
    users = [*DEFAULT_USERS, EVE, {**SYNC, "is_active": active}]
    target.reset(users, [*DEFAULT_TOKENS, {"token": "of-sync", "username": "sync"}])


def rig_at(make_rig: MakeRig, target: ReferenceTarget, **engine: Any) -> Rig:
    seed(target)
    own = {"credential": {"scheme": "bearer", "secret": "of-sync"}}
    rig = make_rig({"authentik": target}, engine=engine, options={"authentik": own})
    rig.say("E1", KNOWN)
    rig.work()
    return rig


def test_a_token_that_dies_pauses_the_target_and_the_reason_names_it(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    rig = rig_at(make_rig, authentik_target, probe_every_s=600)
    seed(authentik_target, active=False)
    rig.say("E1", {"family_name": "Holm"})
    rig.fold()
    until(lambda: (rig.sync(), rig.audit("target:pause:paused"))[1], "the target is paused")
    (paused,) = rig.audit("target:pause:paused")
    assert "see whether it was deleted, or sync deactivated" in paused["reason"]
    assert "of-sync" not in str(rig.audit())
    assert authentik_target.users()["eve"]["name"] == "Eve Moss"


def test_a_write_that_timed_out_and_lands_later_is_waited_for_and_not_sent_twice(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    rig = rig_at(make_rig, authentik_target, late_effect_s=1.0)
    late = {"kind": "late_effect", "seconds": 0.5, "hold_s": 0.1}
    authentik_target.faults([{"method": "PATCH", "fault": late}])
    rig.say("E1", {"family_name": "Holm"})
    rig.work(20)
    assert authentik_target.users()["eve"]["name"] == "Eve Holm"
    assert [write["applied"] for write in authentik_target.writes()] == [True]
    assert rig.account("E1", "authentik").doubt is None
