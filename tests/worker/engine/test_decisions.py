"""What operators decide about what is held, and what then reaches the target."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import leavers
from tests.worker.engine.deciders import WHY, Desk, look_again
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_faults import fault
from tests.worker.engine.test_lifecycle import GROUPS, in_groups, with_groups
from tests.worker.engine.test_path import ANNA, bodies
from worker.domain.account import RETURNER, Reason
from worker.domain.decisions import Word
from worker.engine.deciding import UndecidableError
from worker.storage.tables import account

FIELD = "is_superuser"
ASKING: dict[str, Any] = {
    "awx": {"mapping": {FIELD: "custom.admin"}, "privileged": {FIELD: "approve"}},
}
WANTED = {**ANNA, "custom": {"admin": True}}


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """Anna waits for an approval to become a superuser."""
    made = make_rig(options=ASKING)
    made.say("E1", WANTED)
    made.work()
    assert made.account("E1", "awx").held[FIELD].reason is Reason.APPROVAL
    return made


def is_superuser(target: ReferenceTarget) -> object:
    return target.users()["anna.berg"][FIELD]


def test_an_approved_grant_is_sent_once_and_says_who_approved(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url, options=ASKING)
    rig.say("E1", WANTED)
    rig.work()
    desk = Desk(rig)
    desk.approve("E1", FIELD)
    rig.work()
    assert is_superuser(awx_target) is True
    settled = rig.account("E1", "awx")
    assert (settled.held, settled.approvals) == ({}, {})
    (intent,) = [entry for entry in rig.audit("account:patch:intended") if "approved" in entry]
    (decided,) = rig.audit("held:approve:decided")
    assert intent["approved"] == {FIELD: ["operator:alice", decided["decision"]]}
    assert (decided["actor"], decided["why"], decided["field"]) == ("operator:alice", WHY, FIELD)
    assert decided["stream"] == "operators"


def test_an_approval_is_used_once(rig: Rig, awx_target: ReferenceTarget) -> None:
    Desk(rig).approve("E1", FIELD)
    rig.work()
    awx_target.reset()  # somebody takes the right away at the target
    look_again(rig)
    rig.work()
    assert is_superuser(awx_target) is False
    assert rig.account("E1", "awx").held[FIELD].reason is Reason.APPROVAL


def test_an_approval_is_for_the_change_that_was_looked_at(rig: Rig, awx_target: ReferenceTarget) -> None:
    desk = Desk(rig)
    desk.approve("E1", FIELD)
    rig.say("E1", {"custom": {"admin": False}})  # before any worker looked
    rig.work()
    rig.say("E1", {"custom": {"admin": True}})
    rig.work()
    assert bodies(awx_target) == []
    assert rig.account("E1", "awx").held[FIELD].reason is Reason.APPROVAL


def test_an_approval_does_not_outlive_its_time(rig: Rig, awx_target: ReferenceTarget) -> None:
    Desk(rig, valid_s=0.0).approve("E1", FIELD)
    rig.work()
    assert bodies(awx_target) == []
    assert rig.account("E1", "awx").held[FIELD].reason is Reason.APPROVAL


def test_an_approval_of_somebody_revoked_since_is_void(rig: Rig, awx_target: ReferenceTarget) -> None:
    desk = Desk(rig)
    desk.approve("E1", FIELD)
    desk.operators.revoke("alice", desk.admin, "left")
    rig.work()
    assert bodies(awx_target) == []
    assert rig.account("E1", "awx").held[FIELD].reason is Reason.APPROVAL


def test_a_rejection_takes_an_approval_back_and_a_later_approval_ends_it(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    desk = Desk(rig)
    desk.approve("E1", FIELD)
    desk.say("E1", FIELD, Word.REJECT)
    rig.work()
    hold = rig.account("E1", "awx").held[FIELD]
    assert (bodies(awx_target), hold.reason) == ([], Reason.DECLINED)
    assert "operator:alice" in hold.message
    look_again(rig)
    rig.work()
    assert rig.account("E1", "awx").held[FIELD] == hold
    desk.approve("E1", FIELD)
    rig.work()
    assert is_superuser(awx_target) is True


def test_what_changed_since_it_was_looked_at_is_not_approved(rig: Rig) -> None:
    desk = Desk(rig)
    seen = desk.look("E1")[FIELD].hash
    with pytest.raises(UndecidableError, match="changed meanwhile"):
        desk.approve("E1", FIELD, seen="0000")
    assert desk.approve("E1", FIELD, seen=seen[:12]).before is False


def test_the_rest_of_a_busy_persons_change_does_not_void_an_approval(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    Desk(rig).approve("E1", FIELD)
    rig.say("E1", {"given_name": "Annika"})
    rig.work()
    anna = awx_target.users()["anna.berg"]
    assert (anna["first_name"], anna[FIELD]) == ("Annika", True)


def test_a_failed_write_does_not_use_an_approval_up(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", status=500), fault("status", status=503, effect=False)])
    Desk(rig).approve("E1", FIELD)
    rig.work()
    assert is_superuser(awx_target) is True


def test_nobody_approves_of_what_the_policy_denies(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {"mapping": {FIELD: "custom.admin"}}})
    rig.say("E1", WANTED)
    rig.work()
    with pytest.raises(UndecidableError, match=r'privileged\.is_superuser = "deny"'):
        Desk(rig).approve("E1", FIELD)
    rig.work()
    assert bodies(awx_target) == []


@pytest.mark.parametrize("word", list(Word))
def test_a_decision_during_a_lease_is_heeded_when_the_lease_is_given_back(
    rig: Rig, awx_target: ReferenceTarget, word: Word
) -> None:
    """The row is leased by a worker that has already looked."""
    with rig.writer.begin() as connection:
        lease = {"lease_token": "another", "due_at": sa.func.coalesce(account.c.due_at, 0) + 9e9}
        connection.execute(sa.update(account).values(lease))
        before = connection.execute(sa.select(account.c.state, account.c.held)).one()
    Desk(rig).say("E1", FIELD, word)
    with rig.writer.begin() as connection:
        row = connection.execute(sa.select(account)).one()
        assert (row.lease_token, row.state, row.held) == ("another", *before)
        assert row.verify_at >= 9e9
        connection.execute(sa.update(account).values(lease_token=None, due_at=0.0))
    rig.work()
    assert is_superuser(awx_target) is (word is Word.APPROVE)
    assert rig.account("E1", "awx").heeded > 0


def test_a_retry_sends_a_refused_value_again(rig: Rig, awx_target: ReferenceTarget) -> None:
    words = {"email": ["Not from this domain."]}
    awx_target.faults([fault("status", status=400, body=words)])
    rig.say("E1", {"email": "anna@stone.example"})
    rig.work()
    assert rig.account("E1", "awx").held["email"].reason is Reason.REJECTED
    Desk(rig).say("E1", "email", Word.RETRY)
    rig.work()
    assert awx_target.users()["anna.berg"]["email"] == "anna@stone.example"
    assert "email" not in rig.account("E1", "awx").held
    assert rig.audit("held:retry:decided")[0]["actor"] == "operator:bert"


def test_a_discarded_value_is_not_sent_until_there_is_new_data(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", status=400, body={"email": ["No."]})])
    rig.say("E1", {"email": "anna@stone.example"})
    rig.work()
    desk = Desk(rig)
    desk.say("E1", "email", Word.DISCARD)
    sent = len(bodies(awx_target))
    rig.work()
    rig.say("E1", {"given_name": "Annika"})
    rig.work()
    assert rig.account("E1", "awx").held["email"].reason is Reason.DISCARDED
    assert bodies(awx_target)[sent:] == [{"first_name": "Annika"}]
    with pytest.raises(UndecidableError, match="discarded already"):
        desk.say("E1", "email", Word.DISCARD)
    rig.say("E1", {"email": "anna@hill.example"})
    rig.work()
    assert awx_target.users()["anna.berg"]["email"] == "anna@hill.example"


def test_a_decision_about_another_value_has_no_effect(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", times=2, status=400, body={"email": ["No."]})])
    rig.say("E1", {"email": "anna@stone.example"})
    rig.work()
    Desk(rig).say("E1", "email", Word.DISCARD)
    rig.say("E1", {"email": "anna@hill.example"})
    rig.work()
    assert rig.account("E1", "awx").held["email"].reason is Reason.REJECTED


@pytest.mark.parametrize("word", [Word.APPROVE, Word.REJECT])
def test_of_a_group_only_what_is_added_is_decided_on(
    make_rig: MakeRig, django_admin_target: ReferenceTarget, word: Word
) -> None:
    with_groups(django_admin_target, 3, 7)
    policy = {"managed": {"groups": ["ops", "dev", "old"]}, "privileged": {"groups": "approve"}}
    rig = make_rig(targets={"admin": django_admin_target}, options={"admin": {**GROUPS, **policy}})
    rig.say("E1", {**ANNA, "groups": ["ops", "old"]})
    rig.work()
    desk = Desk(rig, "admin")
    asked = desk.look("E1")["groups"].question
    assert asked is not None
    assert (asked.before, asked.after) == ([], ["ops"])
    desk.say("E1", "groups", word)
    rig.say("E1", {"groups": ["ops"]})  # a removal beside the grant
    rig.work()
    assert in_groups(django_admin_target) == ([1, 7] if word is Word.APPROVE else [7])


def braked(make_rig: MakeRig, target: ReferenceTarget) -> tuple[Rig, str, Desk]:
    """One leaver more than the brake lets pass."""
    rig, names = leavers(make_rig, target, 3, brake_min=2)
    (held,) = [name for name in names if "is_active" in rig.account(name, "admin").held]
    return rig, held, Desk(rig, "admin")


def test_an_approver_lets_one_revocation_pass_the_brake_and_it_is_counted(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    rig, name, desk = braked(make_rig, django_admin_target)
    desk.say(name, "is_active", Word.RETRY)
    rig.work()
    assert rig.account(name, "admin").held["is_active"].reason is Reason.BRAKE
    desk.approve(name, "is_active")
    rig.work()
    assert django_admin_target.users()[name]["is_active"] is False
    with rig.runtime.store.begin() as tx:
        (target,) = rig.runtime.targets
        assert tx.targets.revocations(target, 0.0, but=0) == 3


def test_a_revocation_that_an_operator_discarded_is_not_sent(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    rig, name, desk = braked(make_rig, django_admin_target)
    desk.say(name, "is_active", Word.DISCARD)
    rig.work()
    assert django_admin_target.users()[name]["is_active"] is True
    assert rig.account(name, "admin").held["is_active"].reason is Reason.DISCARDED


def test_a_returners_reminder_ends_with_an_approval(make_rig: MakeRig) -> None:
    rig = make_rig(options={"awx": {"leaver": "demote"}})
    for kind in ("left", "returned"):
        rig.say("E1", ANNA, type=f"hirewire.person.{kind}")
        rig.work()
    assert rig.account("E1", "awx").held[RETURNER].reason is Reason.RETURNED
    Desk(rig).approve("E1", RETURNER)
    rig.work()
    assert rig.account("E1", "awx").held == {}


def test_a_decision_that_was_heeded_costs_no_further_query(rig: Rig) -> None:
    Desk(rig).say("E1", FIELD, Word.REJECT)
    rig.work()
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(rig.runtime.store._engine, "before_cursor_execute", note)
    rig.say("E1", {"given_name": "Annika"})
    rig.work()
    assert [statement for statement in asked if "FROM decision" in statement] == []
