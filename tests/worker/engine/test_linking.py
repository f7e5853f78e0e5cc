"""An operator links a person to an account by hand, or takes the link away; what then reaches the target."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.deciders import WHY, Desk, look_again
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_path import ANNA, OMAR, bodies
from worker.domain.account import ACCOUNT, Reason
from worker.domain.decisions import Word
from worker.domain.operator import Principal, Role
from worker.engine.deciding import UndecidableError
from worker.engine.link_reading import Candidate, LinkRefusedError
from worker.engine.link_told import Asked
from worker.engine.linking import Changed, Linking
from worker.engine.rows import Lease
from worker.storage.tables import account

BY = Principal("alice", Role.APPROVER)


def linking(rig: Rig, patience_s: float = 0.0) -> Linking:
    (target,) = rig.runtime.targets.values()
    return Linking(rig.runtime.store, rig.signals, target, 1, patience_s)


def link(rig: Rig, subject: str, remote_id: str, *, replaces: bool = False) -> Changed:
    asked, door = Asked(subject, remote_id, BY, WHY), linking(rig)
    return door.link(asked, door.look(asked, replaces=replaces))


def unlink(rig: Rig, subject: str, patience_s: float = 0.0) -> Changed:
    return linking(rig, patience_s).unlink(Asked(subject, None, BY, WHY))


def id_of(target: ReferenceTarget, name: str) -> str:
    return str(target.users()[name]["id"])


def written(target: ReferenceTarget) -> list[str]:
    """The paths of all writes."""
    return [write["path"] for write in target.writes()]


def refusals(rig: Rig) -> list[tuple[str, str, str]]:
    found = [entry for entry in rig.audit("account:") if entry["action"].endswith(":refused")]
    return [(entry["action"], entry["reason"], entry["actor"]) for entry in found]


def hold_of(rig: Rig, subject: str = "E1") -> Reason:
    return rig.account(subject, "awx").held[ACCOUNT].reason


def test_the_linked_account_gets_the_change_and_the_one_found_before_does_not(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    rig.say("E1", ANNA)
    rig.work()
    anna, omar = id_of(awx_target, "anna.berg"), id_of(awx_target, "omar.haddad")
    assert link(rig, "E1", omar, replaces=True) == Changed(anna, omar)
    rig.say("E1", {"given_name": "Annika", "user_name": "omar.haddad"})
    rig.work()
    assert set(written(awx_target)) == {f"/api/v2/users/{omar}/"}
    assert awx_target.users()["omar.haddad"]["first_name"] == "Annika"
    (decided,) = rig.audit("account:link:decided")
    assert decided["changes"] == [{"field": "remote_id", "before": anna, "after": omar}]
    assert (decided["actor"], decided["why"], decided["stream"]) == ("operator:alice", WHY, "operators")
    assert (decided["name"], {item["field"] for item in decided["differs"]}) == (
        "omar.haddad",
        {"username", "first_name", "last_name", "email"},
    )
    assert rig.verify().breaks == ()


def test_a_link_by_hand_answers_a_hold_of_the_whole_account(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", {**OMAR, "user_name": "o.haddad"})
    rig.work()
    assert hold_of(rig) is Reason.MISSING
    omar = id_of(awx_target, "omar.haddad")
    link(rig, "E1", omar)
    assert rig.account("E1", "awx").held == {}
    rig.work()
    assert bodies(awx_target) == [{"username": "o.haddad"}]
    assert rig.audit("account:link:linked")[0]["evidence"] == ["email", "first_name", "last_name"]


def test_an_account_that_no_event_has_made_yet_is_made_by_the_link(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.fold()
    with rig.writer.begin() as connection:
        connection.execute(sa.delete(account))
    link(rig, "E1", id_of(awx_target, "anna.berg"))
    rig.work()
    assert bodies(awx_target) == [{"first_name": "Annika"}]


def test_the_guards_apply_to_what_was_linked(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {"mapping": {"is_superuser": "custom.admin"}}})
    rig.say("E1", {**ANNA, "user_name": "a.b", "custom": {"admin": True}})
    rig.work()
    link(rig, "E1", id_of(awx_target, "anna.berg"))
    rig.work()
    assert awx_target.users()["a.b"]["is_superuser"] is False
    assert rig.account("E1", "awx").held["is_superuser"].reason is Reason.PRIVILEGED


def test_an_approval_for_the_former_account_is_none_for_the_linked_one(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    """Also where no worker has taken the approval in yet."""
    options: dict[str, Any] = {
        "awx": {"mapping": {"is_superuser": "custom.admin"}, "privileged": {"is_superuser": "approve"}}
    }
    rig = make_rig(options=options)
    rig.say("E1", {**ANNA, "custom": {"admin": True}})
    rig.work()
    Desk(rig).approve("E1", "is_superuser")
    link(rig, "E1", id_of(awx_target, "omar.haddad"), replaces=True)
    rig.work()
    assert [user["is_superuser"] for user in awx_target.users().values()].count(True) == 1  # our token's
    assert rig.account("E1", "awx").held["is_superuser"].reason is Reason.APPROVAL


def test_protected_accounts_are_refused_and_that_is_audited(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    """By name, and the owner of our token."""
    rig = make_rig(options={"awx": {"protected": {"usernames": ["omar.haddad"]}}})
    rig.say("E1", ANNA)
    rig.fold()
    owner = next(name for name, user in awx_target.users().items() if user["is_superuser"])
    for name in ("omar.haddad", owner):
        with pytest.raises(LinkRefusedError, match="protected"):
            link(rig, "E1", id_of(awx_target, name))
    assert refusals(rig) == [("account:link:refused", "protected", "operator:alice")] * 2
    assert rig.account("E1", "awx").remote_id is None


def test_the_account_of_another_person_is_refused_with_their_key(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    rig.say("E1", ANNA)
    rig.say("E2", {**OMAR, "user_name": "nobody"})
    rig.work()
    with pytest.raises(LinkRefusedError, match="is the account of E1"):
        link(rig, "E2", id_of(awx_target, "anna.berg"))
    assert rig.account("E1", "awx").remote_id == id_of(awx_target, "anna.berg")


@pytest.mark.parametrize(
    ("remote_id", "reason"), [("4711", "missing"), ("../2", "unreadable"), ("2", "linked"), ("3", "linked")]
)
def test_what_cannot_be_linked_is_refused(rig: Rig, remote_id: str, reason: str) -> None:
    rig.say("E1", {**OMAR, "user_name": "nobody"} if remote_id in ("4711", "../2") else ANNA)
    rig.work()
    with pytest.raises(LinkRefusedError) as refused:
        link(rig, "E1", remote_id)
    assert refused.value.reason == reason


def test_a_paused_target_and_an_unknown_person_are_refused(rig: Rig) -> None:
    with pytest.raises(LinkRefusedError, match="no event ever spoke"):
        link(rig, "E9", "2")
    rig.say("E1", ANNA)
    rig.fold()
    with rig.runtime.store.begin() as tx:
        tx.targets.pause(1, "by hand", "operator:alice", None)
    with pytest.raises(LinkRefusedError, match="is paused"):
        link(rig, "E1", "2")


def test_of_two_who_link_one_account_at_once_one_is_told(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    for subject in ("E1", "E2"):
        rig.say(subject, {**ANNA, "user_name": f"nobody.{subject}"})
    rig.work()
    anna, barrier, ends = id_of(awx_target, "anna.berg"), threading.Barrier(2), []

    def act(asked: Asked, seen: Candidate) -> None:
        barrier.wait()
        try:
            linking(rig, 5).link(asked, seen)
        except LinkRefusedError as error:
            ends.append(error.reason)
        else:
            ends.append("done")

    both = [Asked(subject, anna, BY, WHY) for subject in ("E1", "E2")]
    threads = [threading.Thread(target=act, args=(one, linking(rig).look(one))) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["done", "owned"]


def test_an_account_in_a_workers_hand_is_waited_for_and_not_changed(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    """A claim between the look and the link keeps what it has; the link comes when it is given back."""
    rig = make_rig(database=database_url)
    rig.say("E1", ANNA)
    rig.work()
    anna, omar = id_of(awx_target, "anna.berg"), id_of(awx_target, "omar.haddad")
    asked, door = Asked("E1", omar, BY, WHY), linking(rig)
    seen = door.look(asked, replaces=True)
    look_again(rig)
    with rig.runtime.store.begin() as tx:
        assert len(tx.accounts.claim(0, 1, 1, Lease("a worker", tx.now, tx.now + 60))) == 1
    with pytest.raises(LinkRefusedError, match="in hand"):
        door.link(asked, seen)
    with pytest.raises(LinkRefusedError, match="in hand"):
        unlink(rig, "E1")
    assert rig.account("E1", "awx").remote_id == anna
    waiting = threading.Thread(target=linking(rig, 10).link, args=(asked, seen))
    waiting.start()
    with rig.runtime.store.begin() as tx:
        tx.accounts.give_back("a worker", tx.now)
    waiting.join()
    rig.say("E1", {"given_name": "Annika"})
    rig.work()
    assert rig.account("E1", "awx").remote_id == omar
    assert set(written(awx_target)) == {f"/api/v2/users/{omar}/"}


def test_after_an_unlink_nothing_is_sent_until_somebody_says_so(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    """Neither new data nor a read that is asked for links again; a retry does, and a link by hand."""
    rig = make_rig(database=database_url)
    rig.say("E1", ANNA)
    rig.work()
    anna, before = id_of(awx_target, "anna.berg"), len(awx_target.log())
    assert unlink(rig, "E1") == Changed(anna, None)
    rig.say("E1", {"given_name": "Annika", "user_name": "anna.stone"})
    rig.work()
    look_again(rig)
    rig.say("E1", {"active": False})
    rig.work()
    rig.say("E1", {"active": True, "user_name": "anna.berg"})
    rig.work()
    assert len(awx_target.log()) == before
    assert hold_of(rig) is Reason.UNLINKED
    desk = Desk(rig)
    with pytest.raises(UndecidableError, match="not linked"):
        desk.say("E1", ACCOUNT, Word.DISCARD)
    desk.say("E1", ACCOUNT, Word.RETRY)
    rig.work()
    assert rig.account("E1", "awx").remote_id == anna
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


def test_an_unlink_is_audited_with_the_link_before(rig: Rig, awx_target: ReferenceTarget) -> None:
    rig.say("E1", ANNA)
    rig.work()
    anna = id_of(awx_target, "anna.berg")
    unlink(rig, "E1")
    (decided,), (told,) = rig.audit("account:unlink:decided"), rig.audit("account:link:unlinked")
    assert decided["changes"] == [{"field": "remote_id", "before": anna, "after": None}]
    assert (told["former"], told["stream"]) == (anna, "target:awx")
    assert rig.audit("account:field:held")[-1]["reason"] == "unlinked"
    with pytest.raises(LinkRefusedError, match="not linked"):
        unlink(rig, "E1")
    assert refusals(rig) == [("account:unlink:refused", "not_linked", "operator:alice")]


def test_an_unlinked_account_is_free_for_the_person_whose_it_is(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    rig.say("E1", ANNA)
    rig.say("E2", {**ANNA, "user_name": "nobody"})
    rig.work()
    unlink(rig, "E1")
    link(rig, "E2", id_of(awx_target, "anna.berg"))
    rig.work()
    assert bodies(awx_target) == [{"username": "nobody"}]
    assert (rig.account("E1", "awx").remote_id, hold_of(rig)) == (None, Reason.UNLINKED)


def test_a_worker_at_full_speed_never_writes_to_the_former_account_again(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    """Wherever between claim, request and settling the link falls."""
    rig = make_rig(database=database_url)
    rig.say("E1", ANNA)
    rig.work()
    anna, omar = id_of(awx_target, "anna.berg"), id_of(awx_target, "omar.haddad")
    rig.say("E1", {"email": "a@example.com"})
    rig.work()
    started, over = threading.Event(), threading.Event()

    def work() -> None:
        while not over.is_set():
            rig.say("E1", {"given_name": f"Anna {next(rig.numbers)}"})
            rig.fold()
            rig.sync()
            started.set()

    worker = threading.Thread(target=work)
    worker.start()
    started.wait(60)
    asked, door = Asked("E1", omar, BY, WHY), linking(rig, 10)
    done = door.link(asked, door.look(asked, replaces=True))
    over.set()
    worker.join()
    rig.work()
    assert done == Changed(anna, omar)
    assert rig.account("E1", "awx").remote_id == omar
    paths = written(awx_target)
    last, first = f"/api/v2/users/{anna}/", f"/api/v2/users/{omar}/"
    assert paths == [last] * paths.count(last) + [first] * paths.count(first)
    assert awx_target.users()["omar.haddad"]["email"] == "a@example.com"
    assert rig.verify().breaks == ()


def test_the_evidence_is_masked_as_the_audit_is(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(audit={"masked": ["email"]})
    rig.say("E1", {**ANNA, "user_name": "a.berg", "email": "secret@example.com"})
    rig.fold()
    asked = Asked("E1", id_of(awx_target, "anna.berg"), BY, WHY)
    seen = linking(rig).look(asked)
    assert {item["field"] for item in seen.differs if isinstance(item, dict)} == {"username", "email"}
    linking(rig).link(asked, seen)
    assert "secret@example.com" not in str((seen, rig.audit()))
