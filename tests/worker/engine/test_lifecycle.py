"""Joiners, leavers, returners and groups; and whom nobody may touch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_faults import fault
from tests.worker.engine.test_path import ANNA, bodies
from worker.domain.account import ACCOUNT, LEAVER, RETURNER, Reason

NADIA = {
    "user_name": "nadia.okoye",
    "given_name": "Nadia",
    "family_name": "Okoye",
    "email": "nadia.okoye@example.com",
}


@pytest.fixture
def creating(make_rig: MakeRig) -> Rig:
    return make_rig(options={"awx": {"on_missing": "create"}})


def test_a_joiner_is_created_where_the_target_allows_it(creating: Rig, awx_target: ReferenceTarget) -> None:
    creating.say("E5", NADIA, type="hirewire.person.joined")
    creating.work()
    nadia = awx_target.users()["nadia.okoye"]
    assert (nadia["first_name"], nadia["email"]) == ("Nadia", "nadia.okoye@example.com")
    assert creating.account("E5", "awx").remote_id == str(nadia["id"])
    assert creating.actions("account:create:") == ["account:create:intended", "account:create:applied"]


def test_no_account_is_created_while_one_answers(creating: Rig, awx_target: ReferenceTarget) -> None:
    creating.say("E1", {"user_name": "anna.berg", "given_name": "Somebody", "family_name": "Else"})
    creating.work()
    assert awx_target.writes() == []
    assert creating.account("E1", "awx").held[ACCOUNT].reason is Reason.MATCHES


def test_nobody_who_left_is_created(creating: Rig, awx_target: ReferenceTarget) -> None:
    creating.say("E5", NADIA, type="hirewire.person.left")
    creating.work()
    assert awx_target.writes() == []


def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(
    creating: Rig, awx_target: ReferenceTarget
) -> None:
    awx_target.faults([fault("drop_after", method="POST")])
    creating.say("E5", NADIA)
    creating.work()
    assert len(awx_target.writes()) == 1
    assert creating.account("E5", "awx").remote_id == str(awx_target.users()["nadia.okoye"]["id"])
    assert creating.actions("account:create:") == [
        "account:create:intended",
        "account:create:ambiguous",
        "account:create:confirmed",
    ]


def test_a_race_with_somebody_elses_create_links_with_evidence(
    creating: Rig, awx_target: ReferenceTarget
) -> None:
    clash = {"username": ["A user with that username already exists."]}
    awx_target.faults([fault("status", method="POST", status=400, body=clash, effect=True)])
    creating.say("E5", NADIA)
    creating.work()
    (linked,) = creating.audit("account:link:linked")
    assert linked["evidence"] == ["username", "first_name", "last_name", "email"]
    assert len(awx_target.writes()) == 1


def test_a_refused_creation_is_held_with_the_targets_words(
    creating: Rig, awx_target: ReferenceTarget
) -> None:
    words = {"email": ["Not from this domain."]}
    awx_target.faults([fault("status", method="POST", status=400, body=words)])
    creating.say("E5", NADIA)
    creating.work()
    hold = creating.account("E5", "awx").held[ACCOUNT]
    assert (hold.reason, hold.message) == (Reason.REJECTED, "email: Not from this domain.")


@pytest.fixture
def demoting(make_rig: MakeRig, awx_target: ReferenceTarget) -> Rig:
    awx_target.reset(
        users=[
            {"id": 1, "username": "admin", "is_superuser": True},
            {
                "id": 2,
                "username": "anna.berg",
                "last_name": "Berg",
                "is_superuser": True,
                "password": "Old-Pass1",
            },
        ]
    )
    return make_rig(options={"awx": {"leaver": "demote"}})


def test_a_leaver_is_demoted_once_and_the_password_is_kept_nowhere(
    demoting: Rig, awx_target: ReferenceTarget
) -> None:
    demoting.say("E1", {**ANNA, "given_name": "Anna"}, type="hirewire.person.left")
    demoting.work()
    demotions = [body for body in bodies(awx_target) if isinstance(body, dict) and "password" in body]
    assert len(demotions) == 1
    assert awx_target.users()["anna.berg"]["is_superuser"] is False
    assert demotions[0]["password"] not in str(demoting.audit())
    assert demoting.account("E1", "awx").demoted


def test_a_returner_is_told_apart_and_needs_a_password(demoting: Rig) -> None:
    demoting.say("E1", ANNA, type="hirewire.person.left")
    demoting.work()
    demoting.say("E1", {}, type="hirewire.person.returned")
    demoting.work()
    assert demoting.account("E1", "awx").held[RETURNER].reason is Reason.RETURNED
    demoting.say("E1", {}, type="hirewire.person.left")
    demoting.work()
    assert demoting.account("E1", "awx").held == {}


def test_deleting_always_waits_for_an_approval(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {"leaver": "delete"}})
    rig.say("E1", ANNA, type="hirewire.person.left")
    rig.work()
    assert rig.account("E1", "awx").held[LEAVER].reason is Reason.APPROVAL
    assert "anna.berg" in awx_target.users()


def test_the_owner_of_our_own_token_is_never_written(rig: Rig, awx_target: ReferenceTarget) -> None:
    data = {"user_name": "admin", "email": "admin@example.com", "given_name": "Mallory"}
    rig.say("E6", data, type="hirewire.person.left")
    rig.work()
    assert awx_target.writes() == []
    assert rig.account("E6", "awx").held[ACCOUNT].reason is Reason.PROTECTED


def test_nothing_is_claimed_before_we_know_whose_token_ours_is(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", times=1, method="GET", status=500)])
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.fold()
    rig.sync()
    assert awx_target.writes() == []
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


ADMIN = {"id": 1, "username": "admin", "is_superuser": True, "is_staff": True}


def test_at_the_endpoint_of_the_tokens_owner_that_owner_is_written(
    make_rig: MakeRig, staff_users_target: ReferenceTarget
) -> None:
    options = {"options": {"endpoint": "me"}}
    rig = make_rig(targets={"me": staff_users_target}, options={"me": options})
    owner = staff_users_target.users()["admin"]
    rig.say("E6", {"user_name": "admin", "email": owner["email"], "given_name": "Adele"})
    rig.say("E1", ANNA)
    rig.work()
    assert staff_users_target.users()["admin"]["first_name"] == "Adele"
    assert rig.account("E1", "me").held[ACCOUNT].reason is Reason.MISSING


GROUPS = {"options": {"groups": {"ops": 1, "dev": 2, "old": 3}}, "mapping": {"groups": "groups"}}


def in_groups(target: ReferenceTarget) -> list[int]:
    groups: Any = target.users()["anna.berg"]["groups"]
    return sorted(groups)


def with_groups(target: ReferenceTarget, *ids: int) -> None:
    users = [
        {**ADMIN, "groups": list(range(1, 8))},  # so that the groups exist
        {"id": 2, "username": "anna.berg", "last_name": "Berg", "email": ANNA["email"], "groups": list(ids)},
    ]
    target.reset(users=users)


@pytest.mark.parametrize(
    ("managed", "expected"),
    [({}, [1, 3, 7]), ({"groups": ["ops", "old"]}, [1, 7])],
    ids=["additive", "managed"],
)
def test_groups_that_hr_does_not_speak_about_survive(
    make_rig: MakeRig,
    django_admin_target: ReferenceTarget,
    managed: dict[str, list[str]],
    expected: list[int],
) -> None:
    with_groups(django_admin_target, 3, 7)
    options = {**GROUPS, "managed": managed, "privileged": {"groups": "allow"}}
    rig = make_rig(targets={"admin": django_admin_target}, options={"admin": options})
    rig.say("E1", {**ANNA, "groups": ["ops"]})
    rig.work()
    assert in_groups(django_admin_target) == expected


def test_an_unknown_group_holds_the_field_with_the_known_ones_named(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    with_groups(django_admin_target, 3)
    options = {**GROUPS, "privileged": {"groups": "allow"}}
    rig = make_rig(targets={"admin": django_admin_target}, options={"admin": options})
    rig.say("E1", {**ANNA, "given_name": "Annika", "groups": ["ops", "nosuch"]})
    rig.work()
    hold = rig.account("E1", "admin").held["groups"]
    assert "nosuch" in hold.message
    assert "dev" in hold.message
    assert django_admin_target.users()["anna.berg"]["first_name"] == "Annika"
    assert in_groups(django_admin_target) == [3]


def test_a_denied_grant_of_a_group_still_lets_a_removal_pass(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    with_groups(django_admin_target, 3, 7)
    options = {**GROUPS, "managed": {"groups": ["ops", "old"]}}
    rig = make_rig(targets={"admin": django_admin_target}, options={"admin": options})
    rig.say("E1", {**ANNA, "groups": ["ops"]})
    rig.work()
    assert in_groups(django_admin_target) == [7]
    assert rig.account("E1", "admin").held["groups"].reason is Reason.PRIVILEGED
