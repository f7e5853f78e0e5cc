"""The last active superuser of a target is never taken away, whoever asks, also by two workers at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.deciders import Desk
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_faults import fault
from worker.domain.account import Reason
from worker.domain.decisions import Word

STAFF = {"id": 1, "username": "admin", "is_staff": True}
ALLOWED = {"mapping": {"is_superuser": "custom.admin"}, "privileged": {"is_superuser": "allow"}}


def boss(number: int, **more: Any) -> dict[str, Any]:
    name = f"boss{number}"
    return {"id": number, "username": name, "first_name": "B", "last_name": name, **more}


def said(number: int, **more: Any) -> dict[str, Any]:
    name = f"boss{number}"
    return {"user_name": name, "given_name": "B", "family_name": name, **more}


@pytest.fixture
def rig(make_rig: MakeRig, django_admin_target: ReferenceTarget) -> Rig:
    """Two superusers, of whom one is deactivated; our own token belongs to none."""
    users = [STAFF, boss(2, is_superuser=True), boss(3, is_superuser=True, is_active=False)]
    django_admin_target.reset(users=users)
    return make_rig(targets={"admin": django_admin_target}, options={"admin": ALLOWED})


@pytest.mark.parametrize(
    ("data", "kind", "field"),
    [
        ({"custom": {"admin": False}}, "changed", "is_superuser"),
        ({"custom": {"admin": True}}, "left", "is_active"),
    ],
)
def test_the_last_superuser_is_neither_demoted_nor_deactivated(
    rig: Rig, django_admin_target: ReferenceTarget, data: Mapping[str, Any], kind: str, field: str
) -> None:
    rig.say("E2", said(2, given_name="Bea", **data), type=f"hirewire.person.{kind}")
    rig.work()
    boss_2 = django_admin_target.users()["boss2"]
    assert (boss_2["is_superuser"], boss_2["is_active"], boss_2["first_name"]) == (True, True, "Bea")
    assert rig.account("E2", "admin").held[field].reason is Reason.PROTECTED
    assert [write["body"] for write in django_admin_target.writes()] == [{"first_name": "Bea"}]


def test_with_another_superuser_left_a_retry_takes_the_right_away(
    rig: Rig, django_admin_target: ReferenceTarget
) -> None:
    rig.say("E2", said(2, custom={"admin": False}))
    rig.work()
    django_admin_target.reset(users=[STAFF, boss(2, is_superuser=True), boss(3, is_superuser=True)])
    Desk(rig, "admin").say("E2", "is_superuser", Word.RETRY)
    rig.work()
    assert django_admin_target.users()["boss2"]["is_superuser"] is False


def test_what_cannot_be_answered_takes_nobody_away(rig: Rig, django_admin_target: ReferenceTarget) -> None:
    rig.say("E2", said(2, custom={"admin": True}))
    rig.work()
    broken = {**fault("status", times=None, method="GET", status=500), "path": "/admin/users/"}
    django_admin_target.faults([broken])
    rig.say("E2", {"custom": {"admin": False}})
    rig.fold()
    for _ in range(3):
        rig.sync()
    assert django_admin_target.writes() == []
    assert rig.due() != []


def test_two_workers_at_once_leave_one_superuser(
    make_rig: MakeRig, postgres_url: str, django_admin_target: ReferenceTarget
) -> None:
    users = [STAFF, boss(2, is_superuser=True), boss(3, is_superuser=True)]
    django_admin_target.reset(users=users)
    slow = fault("delay", times=None, method="GET", seconds=0.2)
    options = {"targets": {"admin": django_admin_target}, "options": {"admin": ALLOWED}}
    rigs = [make_rig(database=postgres_url, **options, engine={"shards": 2}) for _ in range(2)]
    rigs[0].accept(*(rigs[0].event(f"E{n}", said(n, custom={"admin": False})) for n in (2, 3)))
    rigs[0].fold()
    django_admin_target.faults([slow])
    workers = [threading.Thread(target=rig.work) for rig in rigs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    left = [row["username"] for row in django_admin_target.rows() if row["is_superuser"]]
    assert len(left) == 1


def test_a_group_that_makes_superusers_keeps_its_last_member(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    """At authentik only groups make superusers, and only the server knows which."""
    rights = ["view_user", "change_user", "view_group"]
    admins = {"id": 2, "username": "boss2", "name": "B boss2", "groups": ["authentik Admins", "Editors"]}
    authentik_target.reset(
        users=[{"id": 1, "username": "admin", "rights": rights}, admins],
        more={"groups": [{"name": "authentik Admins", "is_superuser": True}]},
    )
    mapped = {"mapping": {"groups": "groups"}, "managed": {"groups": ["authentik Admins", "Editors"]}}
    rig = make_rig(targets={"ak": authentik_target}, options={"ak": mapped})
    rig.say("E2", said(2, groups=["Editors"]))
    rig.work()
    assert authentik_target.writes() == []
    assert rig.account("E2", "ak").held["groups"].reason is Reason.PROTECTED
