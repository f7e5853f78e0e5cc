"""Two identities turn out to be one person: what counts for whom, and which account is theirs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.deciders import Desk, look_again
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_linking import id_of, link, unlink
from tests.worker.engine.test_path import ANNA, OMAR, bodies
from tests.worker.engine.test_rekeying import asked, look, rekey
from worker.domain.account import ACCOUNT, RETURNER, Reason
from worker.domain.dates import Dates
from worker.domain.one_account import Fate
from worker.engine.changing_people import PersonRefusedError
from worker.engine.fold import Fold
from worker.engine.merging import MergeLook, Merging
from worker.engine.rows import Lease
from worker.storage import tables
from worker.storage.records import story

REHIRED = {"email": "anna.berg@example.com", "given_name": "Annika", "family_name": "Berg"}


def merging(rig: Rig, patience_s: float = 0.0) -> Merging:
    return Merging(rig.runtime.store, rig.signals, Dates(), 1, patience_s)


def merge(rig: Rig, gone: str, into: str, patience_s: float = 0.0) -> MergeLook:
    door, who = merging(rig, patience_s), asked(gone, into, "merge")
    seen = door.look(who)
    door.merge(who, seen)
    return seen


def refused(rig: Rig, gone: str, into: str) -> str:
    with pytest.raises(PersonRefusedError) as error:
        merge(rig, gone, into)
    return error.value.reason


def accounts(rig: Rig) -> list[Any]:
    with rig.writer.connect() as connection:
        return list(connection.execute(sa.select(tables.account).order_by(tables.account.c.id)))


def rehired(rig: Rig) -> None:
    """E1 is linked to Anna's account and left; E2 is the same Anna, and has none."""
    rig.say("E1", ANNA)
    rig.work()
    rig.accept(rig.event("E1", {"active": False}), rig.event("E2", {**REHIRED, "active": True}))
    rig.work()


def test_a_person_who_is_rehired_goes_on_with_their_account(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    rehired(rig)
    anna = id_of(awx_target, "anna.berg")
    seen = merge(rig, "E1", "E2")
    assert [(place.gone, place.into, place.fate) for place in seen.places] == [(anna, None, Fate.MOVES)]
    assert [one.name for one in seen.said if one.agrees] == ["email", "family_name"]
    rig.work()
    assert bodies(awx_target) == [{"first_name": "Annika"}]
    (row,) = accounts(rig)
    assert (row.remote_id, row.due_at) == (anna, None)
    told = rig.audit("identity:merge:merged")[0]
    assert (told["from"], told["to"], told["actor"]) == ("E1", "E2", "operator:alice")
    assert told["links"] == [{"target": "awx", "remote_id": anna, "fate": "moves"}]
    assert [entry["stream"] for entry in rig.audit("account:link:moved")] == ["target:awx"]
    assert rig.verify().breaks == ()


def test_events_of_whom_was_merged_count_for_who_remains(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    rehired(rig)
    merge(rig, "E1", "E2")
    rig.say("E1", {"family_name": "Bergman"})
    rig.work()
    assert awx_target.users()["anna.berg"]["last_name"] == "Bergman"
    assert {look(rig, subject).identity.subject for subject in ("E1", "E2")} == {"E2"}
    assert [(alias.subject, alias.merged) for alias in look(rig, "E2").aliases] == [("E1", True)]
    with rig.writer.connect() as connection:
        told = [story(connection, subject) for subject in ("E1", "E2")]
    assert {len(one.events) for one in told if one is not None} == {4}
    assert all("account:link:linked" in {record.action for record in one.records} for one in told if one)


def test_aliases_of_whom_was_merged_lead_to_who_remains_in_the_end(rig: Rig) -> None:
    rig.accept(rig.event("E1", ANNA), rig.event("E2", {"given_name": "A"}), rig.event("E3", {}))
    rig.work()
    rekey(rig, "E1", "E0")
    merge(rig, "E0", "E2")
    merge(rig, "E2", "E3")
    assert {look(rig, one).identity.subject for one in ("E0", "E1", "E2", "E3")} == {"E3"}
    assert refused(rig, "E1", "E3") == "alias"
    with rig.writer.connect() as connection:
        last = connection.scalar(sa.select(tables.identity.c.id).where(tables.identity.c.subject == "E3"))
        led = sa.select(tables.identity.c.merged_into).where(tables.identity.c.merged_into.is_not(None))
        assert set(connection.scalars(led)) == {last}


def test_two_links_at_one_target_are_refused_until_one_is_taken_away(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    rig.accept(rig.event("E1", ANNA), rig.event("E2", OMAR))
    rig.work()
    with pytest.raises(PersonRefusedError, match=r"`hirewire account unlink`") as error:
        merge(rig, "E1", "E2")
    assert error.value.reason == "linked"
    assert rig.audit("identity:merge:refused")[0]["reason"] == "linked"
    unlink(rig, "E1")
    merge(rig, "E1", "E2")
    rig.work()
    assert rig.account("E2", "awx").remote_id == id_of(awx_target, "omar.haddad")


def test_a_link_that_somebody_took_away_is_not_brought_back(rig: Rig) -> None:
    rig.accept(rig.event("E1", ANNA), rig.event("E2", OMAR))
    rig.work()
    unlink(rig, "E2")
    assert refused(rig, "E1", "E2") == "linked"


def test_no_account_is_looked_for_where_somebody_said_so_of_either(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    rig.say("E1", ANNA)
    rig.work()
    unlink(rig, "E1")
    rig.say("E2", {**ANNA, "user_name": "nobody"})
    rig.work()
    assert [place.fate for place in merge(rig, "E1", "E2").places] == [Fate.HELD]
    rig.work()
    assert rig.account("E2", "awx").held[ACCOUNT].reason is Reason.UNLINKED
    assert awx_target.writes() == []


def test_an_account_that_was_demoted_stays_so(make_rig: MakeRig) -> None:
    """Whoever comes back to it needs a password, under whatever number."""
    rig = make_rig(options={"awx": {"leaver": "demote"}})
    rehired(rig)
    assert rig.account("E1", "awx").demoted
    merge(rig, "E1", "E2")
    rig.work()
    assert [hold.reason for hold in rig.account("E2", "awx").held.values()] == [Reason.RETURNED]
    rig.say("E3", {"given_name": "Anna"})
    rig.work()
    merge(rig, "E2", "E3")
    rig.work()
    assert rig.account("E3", "awx").held[RETURNER].reason is Reason.RETURNED


def test_what_was_approved_for_either_is_not_for_who_they_turn_out_to_be(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    """A merge must not hand rights over; what somebody declined stays declined."""
    options: dict[str, Any] = {
        "awx": {"mapping": {"is_superuser": "custom.admin"}, "privileged": {"is_superuser": "approve"}}
    }
    rig = make_rig(options=options)
    rig.say("E1", {**ANNA, "custom": {"admin": True}})
    rig.work()
    Desk(rig).approve("E1", "is_superuser")
    rig.say("E2", REHIRED)
    rig.fold()
    merge(rig, "E1", "E2")
    rig.work()
    assert awx_target.users()["anna.berg"]["is_superuser"] is False
    assert rig.account("E2", "awx").held["is_superuser"].reason is Reason.APPROVAL


def test_an_account_that_a_worker_has_in_hand_is_waited_for(make_rig: MakeRig, database_url: str) -> None:
    rig = make_rig(database=database_url)
    rehired(rig)
    look_again(rig)
    (target,) = rig.runtime.targets
    with rig.runtime.store.begin() as tx:
        assert len(tx.accounts.claim(0, target, 9, Lease("ours", tx.now, tx.now + 30))) == 2
    assert refused(rig, "E1", "E2") == "busy"

    def let_go() -> None:
        with rig.runtime.store.begin() as tx:
            tx.accounts.give_back("ours", tx.now)

    later = threading.Timer(0.3, let_go)
    later.start()
    merge(rig, "E1", "E2", 10.0)
    later.join()
    rig.work()
    assert len(accounts(rig)) == 1


def test_what_changed_since_it_was_looked_at_is_refused(rig: Rig) -> None:
    rehired(rig)
    door, who = merging(rig), asked("E1", "E2", "merge")
    seen = door.look(who)
    rig.say("E2", {"given_name": "Somebody"})
    rig.work()
    with pytest.raises(PersonRefusedError, match="look at it again"):
        door.merge(who, seen)
    assert len(accounts(rig)) == 2


def test_looking_changes_nothing_and_tells_of_a_leaver(rig: Rig) -> None:
    rig.say("E2", {**REHIRED, "active": True})
    rig.say("E1", {**ANNA, "active": False})
    rig.work()
    before = accounts(rig)
    assert merging(rig).look(asked("E1", "E2", "merge")).leaves
    assert (accounts(rig), rig.audit("identity:")) == (before, [])


def test_a_resync_of_all_and_a_date_find_nobody_who_was_merged(rig: Rig) -> None:
    rig.say("E1", {**ANNA, "custom": {}}, type="hirewire.person.changed")
    rig.say("E2", REHIRED)
    rig.work()
    merge(rig, "E1", "E2")
    with rig.writer.begin() as connection:
        gone = sa.update(tables.identity).where(tables.identity.c.subject == "E1")
        connection.execute(gone.values(wake_at=1.0))
    look_again(rig)
    rig.runtime.relay.run()
    rig.work()
    assert len(accounts(rig)) == 1


def test_a_merge_between_the_folds_of_both_loses_no_event(make_rig: MakeRig, database_url: str) -> None:
    """Whatever comes first, each event is folded once and into who remains."""
    rig = make_rig(database=database_url)
    rig.accept(rig.event("E1", {"given_name": "0"}), rig.event("E2", {"family_name": "0"}))
    rig.fold()
    rig.accept(*(rig.event(f"E{n % 2 + 1}", {"given_name": str(n)}) for n in range(60)))
    fold = Fold(rig.runtime.store, rig.signals, frozenset(), 3, 1, Dates())
    folding = [threading.Thread(target=fold.run) for _ in range(2)]
    for thread in folding:
        thread.start()
    _merged_in_the_end(rig)
    for thread in folding:
        thread.join(30)
    rig.fold()
    assert look(rig, "E1").identity.values()["given_name"] == "59"
    with rig.writer.connect() as connection:
        unfolded = sa.select(tables.event.c.id).where(tables.event.c.fold_at.is_not(None))
        assert connection.execute(unfolded).first() is None
        owners = sa.select(tables.identity.c.subject).join_from(
            tables.event, tables.identity, tables.event.c.identity_id == tables.identity.c.id
        )
        assert set(connection.scalars(owners)) == {"E2"}


def _merged_in_the_end(rig: Rig) -> None:
    """People of whom something is said all the time have to be looked at again."""
    for _ in range(200):
        try:
            merge(rig, "E1", "E2")
        except PersonRefusedError:
            continue
        return
    raise AssertionError("never merged")


def test_who_is_linked_by_hand_to_the_account_is_linked_no_more_twice(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    """The account of who goes is free for nobody else: it is who remains that has it."""
    rehired(rig)
    merge(rig, "E1", "E2")
    rig.say("E3", OMAR)
    rig.work()
    with pytest.raises(ValueError, match="is the account of E2"):
        link(rig, "E3", id_of(awx_target, "anna.berg"), replaces=True)
