"""HR gives a person another number: events of both reach them, and nothing is sent for it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.deciders import WHY
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_path import ANNA, OMAR, bodies
from worker.databases import open_reader
from worker.domain.operator import Principal, Role
from worker.engine.changing_people import Asked, PersonRefusedError
from worker.engine.people import PersonLook, person
from worker.engine.rekeying import Rekeyed, Rekeying
from worker.storage import tables
from worker.storage.records import story
from worker.storage.view import SqlViewer

BY = Principal("alice", Role.APPROVER)


def asked(before: str, after: str, verb: str = "rekey") -> Asked:
    return Asked(verb, before, after, BY, WHY)


def rekey(rig: Rig, before: str, after: str) -> Rekeyed:
    return Rekeying(rig.runtime.store).rekey(asked(before, after))


def look(rig: Rig, subject: str) -> PersonLook:
    reader = open_reader(rig.settings)
    found = person(SqlViewer(reader), subject)
    reader.dispose()
    assert found is not None
    return found


def people(rig: Rig) -> list[str]:
    with rig.writer.connect() as connection:
        return sorted(connection.scalars(sa.select(tables.identity.c.subject)))


def test_events_of_both_numbers_reach_the_person(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    """One that was on its way under the old number, too, in one batch with one of the new."""
    rig = make_rig(database=database_url)
    rig.say("E1", ANNA)
    rig.work()
    late = rig.event("E1", {"given_name": "Late"})
    assert rekey(rig, "E1", "E9") == Rekeyed("E1", "E9", 1)
    assert rig.due() == []
    rig.accept(rig.event("E9", {"given_name": "Annika"}), late)
    rig.work()
    assert people(rig) == ["E9"]
    assert bodies(awx_target) == [{"first_name": "Annika"}]
    assert [look(rig, subject).identity.subject for subject in ("E1", "E9")] == ["E9", "E9"]
    assert [(alias.subject, alias.by, alias.merged) for alias in look(rig, "E9").aliases] == [
        ("E1", "operator:alice", False)
    ]
    (told,) = rig.audit("identity:rekey:")
    assert (told["action"], told["from"], told["to"]) == ("identity:rekey:rekeyed", "E1", "E9")
    assert (told["actor"], told["why"]) == ("operator:alice", WHY)
    assert rig.verify().breaks == ()


def test_what_is_asked_for_by_the_old_number_is_found(rig: Rig) -> None:
    rig.say("E1", ANNA)
    rig.work()
    rekey(rig, "E1", "E9")
    rig.say("E1", {"given_name": "Annika"})
    assert [one.event.subject for one in look(rig, "E9").waiting] == ["E1"]
    with rig.writer.connect() as connection:
        told = [story(connection, subject) for subject in ("E1", "E9")]
    assert [len(one.events) for one in told if one is not None] == [2, 2]
    with rig.runtime.store.begin() as tx:
        (target,) = rig.runtime.targets
        assert tx.accounts.lock_of(target, "E1") is not None
        assert len(tx.accounts.require_read({"subjects": ["E1"]}, 0, 10, tx.now)) == 1


def test_a_number_that_is_known_or_no_number_is_refused_and_that_is_audited(rig: Rig) -> None:
    rig.accept(rig.event("E1", ANNA), rig.event("E2", OMAR))
    rig.work()
    rekey(rig, "E2", "E3")
    reasons = []
    for before, after in (
        ("E1", "E3"),
        ("E1", "E2"),
        ("E2", "E4"),
        ("E1", "E1"),
        ("E7", "E8"),
        ("E1", " E4"),
        ("E1", "\udcff"),
        ("E1", "x" * 256),
    ):
        with pytest.raises(PersonRefusedError) as refused:
            rekey(rig, before, after)
        reasons.append(refused.value.reason)
    assert reasons == ["taken", "taken", "alias", "same", "unknown", "subject", "subject", "subject"]
    assert [entry["reason"] for entry in rig.audit("identity:rekey:refused")] == reasons
    assert people(rig) == ["E1", "E3"]


def test_a_number_that_hr_takes_back_is_the_persons_own_again(rig: Rig) -> None:
    rig.say("E1", ANNA)
    rig.work()
    rekey(rig, "E1", "E9")
    rekey(rig, "E9", "E1")
    assert [alias.subject for alias in look(rig, "E1").aliases] == ["E9"]
    assert people(rig) == ["E1"]


def test_looking_changes_nothing(rig: Rig) -> None:
    rig.say("E1", ANNA)
    rig.work()
    assert Rekeying(rig.runtime.store).look(asked("E1", "E9")) == Rekeyed("E1", "E9", 1)
    assert (people(rig), rig.audit("identity:")) == (["E1"], [])
