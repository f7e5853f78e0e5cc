"""Operators: tokens, roles, refusals, and an operator's pause; everything is audited."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.deciders import Desk
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_path import ANNA
from worker.domain.operator import Principal, Role
from worker.engine.errors import NotAllowedError
from worker.engine.operators import Operators
from worker.engine.pausing import Pausing
from worker.storage.tables import operator

ANYBODY = Principal("cli:somebody")


@pytest.fixture
def rig(make_rig: MakeRig, database_url: str) -> Rig:
    return make_rig(database=database_url)


@pytest.fixture
def operators(rig: Rig) -> Operators:
    return Operators(rig.runtime.store)


def refusals(rig: Rig) -> list[tuple[str, str]]:
    return [(entry["actor"], entry["reason"]) for entry in rig.audit("operator:access:refused")]


def test_a_token_is_stored_as_its_digest_only(rig: Rig, operators: Operators) -> None:
    token = operators.add("root", Role.ADMIN, ANYBODY)
    assert token.startswith("hw_")
    assert len(token) >= 43
    with rig.writer.connect() as connection:
        stored = [str(value) for value in connection.execute(sa.select(operator)).one()]
    assert not any(token in value for value in stored)
    assert token not in str(rig.audit())
    assert operators.authenticate(token, Role.ADMIN, "test") == Principal("root", Role.ADMIN)


def test_only_the_first_admin_needs_no_token(rig: Rig, operators: Operators) -> None:
    with pytest.raises(NotAllowedError, match="the first operator must be one"):
        operators.add("vera", Role.VIEWER, ANYBODY)
    operators.add("root", Role.ADMIN, ANYBODY)
    with pytest.raises(NotAllowedError, match="there is an admin already"):
        operators.add("mallory", Role.ADMIN, ANYBODY)
    assert rig.actions("operator:add") == ["operator:add:bootstrap"]
    assert refusals(rig) == [("cli:somebody", "no_admin"), ("cli:somebody", "no_token")]


def test_of_two_who_bootstrap_at_once_one_is_refused(rig: Rig, operators: Operators) -> None:
    barrier, refused = threading.Barrier(2), []

    def bootstrap(name: str) -> None:
        barrier.wait()
        try:
            operators.add(name, Role.ADMIN, ANYBODY)
        except NotAllowedError:
            refused.append(name)

    threads = [threading.Thread(target=bootstrap, args=[name]) for name in ("anna", "omar")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(operators.all()) == 1
    assert len(refusals(rig)) == 1


def test_a_role_may_what_the_one_before_it_may_and_no_more(rig: Rig) -> None:
    desk = Desk(rig)
    assert desk.operators.authenticate(desk.tokens["alice"], Role.OPERATOR, "test").name == "alice"
    with pytest.raises(NotAllowedError, match="bert has the role operator, this needs approver"):
        desk.operators.authenticate(desk.tokens["bert"], Role.APPROVER, "held:approve")
    with pytest.raises(NotAllowedError, match="needs the role admin"):
        desk.operators.add("mallory", Role.ADMIN, desk.alice)
    assert refusals(rig) == [("operator:bert", "role"), ("operator:alice", "role")]
    assert rig.audit("operator:access:refused")[0]["what"] == "held:approve"


def test_a_token_that_is_unknown_expired_or_revoked_is_refused(rig: Rig) -> None:
    desk = Desk(rig)
    expired = desk.operators.add("erin", Role.ADMIN, desk.admin, expires_in_s=-1.0)
    desk.operators.revoke("bert", desk.admin, "left")
    for token, words in ((desk.tokens["bert"], "was revoked"), (expired, "has expired"), ("hw_x", "nobody")):
        with pytest.raises(NotAllowedError, match=words):
            desk.operators.authenticate(token, Role.VIEWER, "test")
    assert [reason for _, reason in refusals(rig)] == ["revoked", "expired", "unknown_token"]
    assert rig.audit("operator:revoke:revoked")[0]["why"] == "left"


def test_a_name_is_free_again_once_its_token_is_void(rig: Rig) -> None:
    desk = Desk(rig)
    with pytest.raises(ValueError, match="already"):
        desk.operators.add("bert", Role.OPERATOR, desk.admin)
    desk.operators.revoke("bert", desk.admin, "lost")
    again = desk.operators.add("bert", Role.VIEWER, desk.admin)
    assert desk.operators.authenticate(again, Role.VIEWER, "test").role is Role.VIEWER
    with pytest.raises(NotAllowedError):
        desk.operators.authenticate(desk.tokens["bert"], Role.VIEWER, "test")


def test_the_last_admin_stays(rig: Rig) -> None:
    desk = Desk(rig)
    with pytest.raises(ValueError, match="the last admin"):
        desk.operators.revoke("root", desk.admin, "x")
    for name in ("", "Alice", "a b", "x" * 64):
        with pytest.raises(ValueError, match="no name"):
            desk.operators.add(name, Role.VIEWER, desk.admin)


def test_an_operators_pause_is_ended_by_an_operator_only(rig: Rig, awx_target: ReferenceTarget) -> None:
    bert = Desk(rig).bert
    pausing = Pausing(rig.runtime.store, rig.signals, 1)
    assert pausing.pause("awx", bert, "maintenance")
    assert not pausing.pause("awx", bert, "again")
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.fold()
    for _ in range(3):
        rig.sync()
        rig.runtime.keeper.probe_paused()
    assert awx_target.writes() == []
    assert pausing.resume("awx", bert, "over")
    assert not pausing.resume("awx", bert, "over")
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    told = [(entry["action"], entry["actor"], entry["stream"]) for entry in rig.audit("target:")]
    told = [line for line in told if line[0] != "target:configuration:changed"]
    assert told == [
        ("target:pause:requested", "operator:bert", "operators"),
        ("target:pause:paused", "operator:bert", "target:awx"),
        ("target:resume:requested", "operator:bert", "operators"),
        ("target:pause:resumed", "operator:bert", "target:awx"),
    ]


def test_an_operator_takes_a_pause_of_hirewire_over(rig: Rig) -> None:
    bert = Desk(rig).bert
    (target,) = rig.runtime.targets
    with rig.runtime.store.begin() as tx:
        tx.targets.pause(target, "ill", "hirewire", tx.now)
    assert Pausing(rig.runtime.store, rig.signals, 1).pause("awx", bert, "leave it")
    rig.runtime.keeper.probe_paused()
    with rig.runtime.store.begin() as tx:
        (state,) = tx.targets.all()
    assert (state.paused, state.paused_by) == (True, "operator:bert")


def test_a_token_with_a_scope_is_good_for_its_targets_and_for_looking(rig: Rig) -> None:
    desk = Desk(rig)
    token = desk.operators.add("sam", Role.APPROVER, desk.admin, targets=["awx"])
    assert desk.operators.authenticate(token, Role.VIEWER, "test").targets == frozenset({"awx"})
    assert desk.operators.authenticate(token, Role.APPROVER, "held:approve", ["awx"]).name == "sam"
    for at, words in ((["awx", "other"], "about awx, other"), (None, "concerns every target")):
        with pytest.raises(NotAllowedError, match=f"good for awx only: .*{words}"):
            desk.operators.authenticate(token, Role.OPERATOR, "run:resync", at)
    assert refusals(rig) == [("operator:sam", "scope"), ("operator:sam", "scope")]
    assert rig.audit("operator:add:added")[-1]["targets"] == ["awx"]


def test_an_admin_has_no_scope_and_nobody_with_one_adds_operators(rig: Rig) -> None:
    desk = Desk(rig)
    for targets in (["awx"], []):
        with pytest.raises(ValueError, match="good for every target"):
            desk.operators.add("sam", Role.ADMIN, desk.admin, targets=targets)
    assert not Principal("sam", Role.APPROVER, frozenset({"awx"})).covers(None)


def test_a_run_of_other_targets_is_none_of_a_token_with_a_scope(rig: Rig) -> None:
    desk = Desk(rig)
    sam = Principal("sam", Role.APPROVER, frozenset({"awx"}))
    everywhere = rig.runtime.desk.request_resync({}, "operator:bert", "x").id
    there = rig.runtime.desk.request_resync({"targets": ["awx"]}, "operator:bert", "x").id
    with pytest.raises(NotAllowedError, match="other targets"):
        rig.runtime.desk.cancel(everywhere, sam, "x")
    rig.runtime.desk.cancel(there, sam, "x")
    rig.runtime.desk.cancel(everywhere, desk.bert, "x")
    told = [(entry["action"], entry["actor"]) for entry in rig.audit("run:resync:")]
    assert told[2:] == [
        ("run:resync:refused", "operator:sam"),
        ("run:resync:cancelled", "operator:sam"),
        ("run:resync:cancelled", "operator:bert"),
    ]
