"""The path from event to PATCH, on a real database and a real target."""

from __future__ import annotations

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from worker.domain.account import ACCOUNT, LEAVER, Reason

ANNA = {
    "user_name": "anna.berg",
    "given_name": "Anna",
    "family_name": "Berg",
    "email": "anna.berg@example.com",
}
OMAR = {
    "user_name": "omar.haddad",
    "given_name": "Omar",
    "family_name": "Haddad",
    "email": "omar.haddad@example.com",
}


def bodies(target: ReferenceTarget) -> list[object]:
    return [write["body"] for write in target.writes()]


def test_an_event_ends_in_one_verified_patch(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert bodies(awx_target) == [{"first_name": "Annika"}]
    assert rig.account("E1", "awx").applied_revision == 1
    assert rig.verify().breaks == ()


def test_link_and_intent_are_audited_before_the_outcome(rig: Rig) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    linked, intended, applied = rig.audit("account:")
    assert linked["evidence"] == ["username", "last_name", "email"]
    assert intended["changes"] == [{"field": "first_name", "before": "Anna", "after": "Annika", "event": 1}]
    assert (intended["method"], intended["path"]) == ("PATCH", "/api/v2/users/2/")
    assert (applied["request"], applied["status"]) == (intended["request"], 200)
    assert 0 < applied["latency_s"] < 10


def test_ten_events_in_one_batch_are_one_patch(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.accept(*(rig.event("E1", {**ANNA, "given_name": f"Anna {n}"}) for n in range(10)))
    rig.work()
    assert bodies(awx_target) == [{"first_name": "Anna 9"}]
    assert rig.account("E1", "awx").applied_revision == 10


def test_nothing_is_sent_when_the_target_is_right_already(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", ANNA)
    rig.work()
    assert awx_target.writes() == []
    assert rig.account("E1", "awx").applied_revision == 1


def test_a_second_change_is_one_request_without_a_read(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    before = len(awx_target.log())
    rig.say("E1", {"given_name": "Anni"})
    rig.work()
    assert [entry["method"] for entry in awx_target.log()[before:]] == ["PATCH"]


def test_null_clears_and_what_hr_never_said_is_left_alone(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {"user_name": "anna.berg", "given_name": "Anna", "family_name": None})
    rig.work()
    anna = awx_target.users()["anna.berg"]
    assert (anna["last_name"], anna["email"]) == ("", "anna.berg@example.com")


def test_an_invalid_value_is_held_and_the_good_one_goes_through(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika", "email": "not an address"})
    rig.work()
    anna = awx_target.users()["anna.berg"]
    hold = rig.account("E1", "awx").held["email"]
    assert (anna["first_name"], anna["email"]) == ("Annika", "anna.berg@example.com")
    assert hold.reason is Reason.VALUE
    assert "email" in hold.message


def test_new_data_for_a_field_releases_its_hold(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {**ANNA, "email": "not an address"})
    rig.work()
    rig.say("E1", {"email": "anna@example.com"})
    rig.work()
    assert rig.account("E1", "awx").held == {}
    assert awx_target.users()["anna.berg"]["email"] == "anna@example.com"
    assert "account:field:released" in rig.actions()


def test_a_user_name_that_is_taken_is_held_with_the_targets_words(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    rig.say("E1", ANNA)
    rig.work()
    rig.say("E1", {"user_name": "omar.haddad", "given_name": "Annika"})
    rig.work()
    anna = awx_target.users()["anna.berg"]
    hold = rig.account("E1", "awx").held["username"]
    assert anna["first_name"] == "Annika"
    assert hold.reason is Reason.UNIQUE
    assert "already exists" in hold.message


def test_a_rename_finds_the_account_by_its_former_name(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.accept(rig.event("E1", ANNA), rig.event("E1", {"user_name": "anna.stone", "family_name": "Stone"}))
    rig.work()
    assert awx_target.users()["anna.stone"]["id"] == 2


def test_a_privileged_grant_is_denied_while_the_name_goes_through(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(options={"awx": {"mapping": {"is_superuser": "custom.admin"}}})
    rig.say("E1", {**ANNA, "given_name": "Annika", "custom": {"admin": True}})
    rig.work()
    anna = awx_target.users()["anna.berg"]
    assert (anna["first_name"], anna["is_superuser"]) == ("Annika", False)
    assert rig.account("E1", "awx").held["is_superuser"].reason is Reason.PRIVILEGED


def test_a_removal_of_rights_is_its_own_first_request(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(
        options={
            "awx": {"mapping": {"is_superuser": "custom.admin"}, "privileged": {"is_superuser": "allow"}}
        }
    )
    rig.say("E1", {**ANNA, "custom": {"admin": True}})
    rig.work()
    assert awx_target.users()["anna.berg"]["is_superuser"] is True
    rig.say("E1", {"given_name": "Annika", "custom": {"admin": False}})
    rig.work()
    assert bodies(awx_target)[1:] == [{"is_superuser": False}, {"first_name": "Annika"}]


def test_a_person_unknown_to_the_target_is_held(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E9", {"user_name": "nobody", "given_name": "No"})
    rig.work()
    hold = rig.account("E9", "awx").held[ACCOUNT]
    assert (hold.reason, hold.message) == (Reason.MISSING, "no account of AWX has username = 'nobody'")
    assert awx_target.writes() == []


def test_one_agreeing_field_is_not_enough_to_link(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {"user_name": "anna.berg", "given_name": "Somebody", "family_name": "Else"})
    rig.work()
    assert rig.account("E1", "awx").held[ACCOUNT].reason is Reason.MATCHES
    assert awx_target.writes() == []


def test_an_account_of_another_identity_is_never_linked_twice(rig: Rig) -> None:
    rig.say("E1", ANNA)
    rig.work()
    rig.say("E2", ANNA)
    rig.work()
    assert rig.account("E1", "awx").remote_id == "2"
    hold = rig.account("E2", "awx").held[ACCOUNT]
    assert (hold.reason, hold.message) == (Reason.UNIQUE, "username is held by E1 at awx")


def test_a_leaver_in_awx_is_held_and_other_changes_go_through(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika"}, type="hirewire.person.left")
    rig.work()
    hold = rig.account("E1", "awx").held[LEAVER]
    assert "no way to deactivate" in hold.message
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    rig.say("E1", {}, type="hirewire.person.returned")
    rig.work()
    assert rig.account("E1", "awx").held == {}


def test_a_leaver_is_deactivated_first_and_read_once_more(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    rig = make_rig(targets={"admin": django_admin_target})
    rig.say("E1", {**ANNA, "given_name": "Annika"}, type="hirewire.person.left")
    rig.work()
    assert bodies(django_admin_target) == [{"is_active": False}, {"first_name": "Annika"}]
    assert django_admin_target.log()[-1]["method"] == "GET"
    rig.say("E1", {}, type="hirewire.person.returned")
    rig.work()
    assert django_admin_target.users()["anna.berg"]["is_active"] is True


def test_a_leaver_without_an_account_is_a_no_op(rig: Rig) -> None:
    rig.say("E9", {"user_name": "nobody"}, type="hirewire.person.left")
    rig.work()
    assert rig.account("E9", "awx").held == {}


def test_foreign_fields_survive(rig: Rig, awx_target: ReferenceTarget) -> None:
    before = awx_target.users()["anna.berg"]
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    after = awx_target.users()["anna.berg"]
    changed = {key for key in before if before[key] != after[key]}
    assert changed <= {"first_name", "modified"}


def test_events_in_the_wrong_order_end_in_the_newest_value(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {**ANNA, "given_name": "Newest"}, time="2026-02-02T00:00:00Z")
    rig.work()
    rig.say("E1", {"given_name": "Stale"}, time="2026-02-01T00:00:00Z")
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Newest"
    assert len(awx_target.writes()) == 1


def test_observe_mode_plans_and_sends_nothing(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {"mode": "observe"}})
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    planned = rig.audit("account:patch:")
    assert [record["action"] for record in planned] == ["account:patch:planned"]
    assert awx_target.writes() == []


@pytest.mark.parametrize("protected", [{"usernames": ["anna.berg"]}, {"ids": ["2"]}])
def test_a_protected_account_is_never_written(
    make_rig: MakeRig, awx_target: ReferenceTarget, protected: dict[str, list[str]]
) -> None:
    rig = make_rig(options={"awx": {"protected": protected}})
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    assert awx_target.writes() == []
    assert rig.account("E1", "awx").held[ACCOUNT].reason is Reason.PROTECTED


def test_a_person_outside_the_scope_is_left_alone(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {"scope": "department == 'IT'"}})
    rig.say("E1", {**ANNA, "given_name": "Annika", "department": "Sales"})
    rig.say("E2", {**OMAR, "given_name": "Umar", "department": "IT"})
    rig.work()
    assert bodies(awx_target) == [{"first_name": "Umar"}]


def test_a_resync_repairs_what_somebody_changed_at_the_target(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    awx_target.reset()  # the target is restored from a backup
    run = rig.runtime.desk.request_resync({"subjects": ["E1"]}, "test", "restored")
    assert rig.signals.sent[-1] == ("run", run.id)
    rig.runtime.runs.carry_out(run.id)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert rig.actions("run:") == ["run:resync:requested", "run:resync:done"]
