"""Deleting a leaver's account: only with an approval, once, and never somebody who is protected."""

from __future__ import annotations

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.deciders import Desk, look_again
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_faults import fault
from tests.worker.engine.test_path import ANNA, OMAR
from worker.domain.account import LEAVER, Reason
from worker.domain.decisions import Word

DELETING = {"awx": {"leaver": "delete", "on_missing": "create"}}


def gone(target: ReferenceTarget) -> bool:
    return "anna.berg" not in target.users()


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """Anna left, and her account waits for an approval to be deleted."""
    made = make_rig(options=DELETING)
    made.say("E1", ANNA, type="hirewire.person.left")
    made.work()
    assert made.account("E1", "awx").held[LEAVER].reason is Reason.APPROVAL
    return made


def test_an_approved_deletion_is_carried_out_and_nobody_is_made_again(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url, options=DELETING)
    rig.say("E1", ANNA, type="hirewire.person.left")
    rig.work()
    Desk(rig).approve("E1", LEAVER)
    rig.work()
    look_again(rig)
    rig.work()
    assert gone(awx_target)
    assert [write["method"] for write in awx_target.writes()] == ["DELETE"]
    settled = rig.account("E1", "awx")
    assert (settled.remote_id, settled.held, settled.approvals) == (None, {}, {})
    assert rig.actions("account:delete:") == ["account:delete:intended", "account:delete:applied"]
    (intent,) = rig.audit("account:delete:intended")
    assert (intent["method"], intent["path"]) == ("DELETE", "/api/v2/users/2/")
    assert intent["approved"][LEAVER][0] == "operator:alice"


def test_who_comes_back_after_a_deletion_is_created(rig: Rig, awx_target: ReferenceTarget) -> None:
    Desk(rig).approve("E1", LEAVER)
    rig.work()
    rig.say("E1", {}, type="hirewire.person.returned")
    rig.work()
    assert rig.account("E1", "awx").remote_id == str(awx_target.users()["anna.berg"]["id"])


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "status"])
def test_a_deletion_without_a_clear_answer_is_read_up_on(
    rig: Rig, awx_target: ReferenceTarget, kind: str
) -> None:
    more = {"status": 500} if kind == "status" else {}
    awx_target.faults([fault(kind, method="DELETE", **more)])
    Desk(rig).approve("E1", LEAVER)
    rig.work()
    assert gone(awx_target)
    assert rig.account("E1", "awx").remote_id is None
    assert rig.actions("account:delete:")[1] == "account:delete:ambiguous"


def test_an_account_that_is_gone_already_counts_as_deleted(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", method="DELETE", status=404, body={"detail": "Not found."})])
    Desk(rig).approve("E1", LEAVER)
    rig.work()
    assert rig.actions("account:delete:")[-1] == "account:delete:applied"


def test_a_refused_deletion_is_held_with_the_targets_words(rig: Rig, awx_target: ReferenceTarget) -> None:
    body = {"detail": "Resource is being used by running jobs."}
    awx_target.faults([fault("status", times=1, method="DELETE", status=400, body=body)])
    desk = Desk(rig)
    desk.approve("E1", LEAVER)
    rig.work()
    hold = rig.account("E1", "awx").held[LEAVER]
    assert (hold.reason, hold.message) == (Reason.REJECTED, body["detail"])
    desk.say("E1", LEAVER, Word.RETRY)  # the approval was not used up
    rig.work()
    assert gone(awx_target)


def test_who_returned_meanwhile_is_not_deleted(rig: Rig, awx_target: ReferenceTarget) -> None:
    Desk(rig).approve("E1", LEAVER)
    rig.say("E1", {}, type="hirewire.person.returned")
    rig.work()
    rig.say("E1", {}, type="hirewire.person.left")
    rig.work()
    assert awx_target.writes() == []
    assert rig.account("E1", "awx").held[LEAVER].reason is Reason.APPROVAL


def test_a_deletion_counts_in_the_brake_and_may_be_approved_in_spite_of_it(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(options=DELETING, engine={"brake_min": 1})
    for subject, person in (("E1", ANNA), ("E2", OMAR)):
        rig.say(subject, person, type="hirewire.person.left")
    rig.work()
    desk = Desk(rig)
    desk.approve("E1", LEAVER)
    rig.work()
    desk.approve("E2", LEAVER)
    rig.work()
    assert rig.account("E2", "awx").held[LEAVER].reason is Reason.BRAKE
    assert "omar.haddad" in awx_target.users()
    desk.approve("E2", LEAVER)
    rig.work()
    assert set(awx_target.users()) == {"admin"}


def test_a_declined_deletion_stays_declined_while_the_person_is_gone(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    Desk(rig).say("E1", LEAVER, Word.REJECT)
    rig.work()
    look_again(rig)
    rig.work()
    assert awx_target.writes() == []
    assert rig.account("E1", "awx").held[LEAVER].reason is Reason.DECLINED


def test_a_protected_account_is_not_deleted_with_any_approval(
    make_rig: MakeRig, awx_target: ReferenceTarget, rig: Rig
) -> None:
    Desk(rig).approve("E1", LEAVER)
    options = {"awx": {**DELETING["awx"], "protected": {"usernames": ["anna.berg"]}}}
    make_rig(options=options).work()
    assert awx_target.writes() == []


def test_observe_mode_deletes_nothing(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {**DELETING["awx"], "mode": "observe"}})
    rig.say("E1", ANNA, type="hirewire.person.left")
    rig.work()
    Desk(rig).approve("E1", LEAVER)
    rig.work()
    assert awx_target.writes() == []
