"""The path from event to PATCH where the target is authentik."""

from __future__ import annotations

from typing import Any

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, TOKEN, ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig

EVE = {
    "user_name": "eve",
    "given_name": "Eve",
    "family_name": "Moss",
    "email": "eve@example.com",
    "active": True,
}
ACCOUNT: dict[str, Any] = {
    "id": 10,
    "username": "eve",
    "name": "Eve Moss",
    "email": "eve@example.com",
    "attributes": {"seat": "4-12"},
    "groups": ["Staff"],
}
MAPPING = {"attributes.dept": "department", "groups": "groups"}


def rig_for(make_rig: MakeRig, target: ReferenceTarget, account: dict[str, Any], **options: Any) -> Rig:
    target.reset([*DEFAULT_USERS, account], DEFAULT_TOKENS, None, {"groups": [{"name": "Editors"}]})
    own = {
        "credential": {"scheme": "bearer", "secret": TOKEN},
        "mapping": MAPPING,
        "privileged": {"groups": "allow"},
        **options,
    }
    return make_rig({"authentik": target}, options={"authentik": own})


def test_containers_are_merged_and_what_others_put_there_stays(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    rig = rig_for(make_rig, authentik_target, ACCOUNT)
    rig.say("E1", {**EVE, "department": "ops", "groups": ["Editors"]})
    rig.work()
    row = authentik_target.users()["eve"]
    assert row["attributes"] == {"seat": "4-12", "dept": "ops"}
    assert row["groups"] == ["Editors", "Staff"]
    assert len(authentik_target.writes()) == 1


def test_a_masked_failure_is_read_again_and_ends_in_one_change(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    rig = rig_for(make_rig, authentik_target, ACCOUNT)
    headers = {"Content-Type": "text/html; charset=utf-8", "Allow": "GET, HEAD, OPTIONS"}
    fault = {"kind": "status", "status": 405, "headers": headers, "body": ""}
    authentik_target.faults([{"method": "PATCH", "fault": fault}])
    rig.say("E1", {**EVE, "email": "eve.moss@example.com"})
    rig.work(20)
    assert authentik_target.users()["eve"]["email"] == "eve.moss@example.com"
    assert [write["applied"] for write in authentik_target.writes()] == [False, True]


def test_a_leaver_is_deactivated(make_rig: MakeRig, authentik_target: ReferenceTarget) -> None:
    rig = rig_for(make_rig, authentik_target, ACCOUNT)
    rig.say("E1", EVE)
    rig.work()
    rig.say("E1", {}, type="hirewire.person.left")
    rig.work()
    assert authentik_target.users()["eve"]["is_active"] is False


def test_a_service_account_of_the_same_name_is_left_alone(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    rig = rig_for(make_rig, authentik_target, {**ACCOUNT, "type": "service_account"})
    rig.say("E1", {**EVE, "department": "ops", "active": False})
    rig.work()
    assert authentik_target.writes() == []
    assert "department" not in authentik_target.users()["eve"]["attributes"]


def test_who_is_missing_is_created_where_that_is_asked_for(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    rig = rig_for(make_rig, authentik_target, ACCOUNT, on_missing="create")
    rig.say("E2", {**EVE, "user_name": "lou", "email": "lou@example.com", "department": "hr"})
    rig.work()
    row = authentik_target.users()["lou"]
    assert (row["name"], row["email"], row["attributes"]) == ("Eve Moss", "lou@example.com", {"dept": "hr"})
