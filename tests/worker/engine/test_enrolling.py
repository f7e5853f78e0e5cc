"""An enrolment proposes links with evidence, waits for somebody else, and links what still holds then."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import DEFAULT_USERS, ReferenceTarget
from tests.waiting import until
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import CARLA, alarms, carry_out, run, said, seed, user_name
from tests.worker.engine.rig import Rig
from worker.domain.account import ACCOUNT
from worker.domain.operator import Principal, Role
from worker.domain.policy import Timing
from worker.engine.enrol_ports import ENROL
from worker.engine.errors import NotAllowedError
from worker.engine.listing import Place
from worker.engine.rows import Lease, Run
from worker.engine.runs import HELD_ALARM, Runs
from worker.reconciliation import build_enrolling, build_lister
from worker.run_kinds import build_target_runs
from worker.storage import tables
from worker.storage.freshness import target_states

ASKED_BY = "operator:olga"
PAGE = 200  # accounts on one page of AWX, and links in one commit
LIST = {"method": "GET", "path": "/api/v2/users/$"}
OBSERVING = {"options": {"crm": {"mode": "observe"}}}


@pytest.fixture(params=["sqlite", "postgresql"])
def kept_in(request: pytest.FixtureRequest) -> dict[str, str]:
    """What `make_rig` needs for a database of that kind."""
    return {} if request.param == "sqlite" else {"database": request.getfixturevalue("postgres_url")}


def user(number: int, username: str, first: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "username": username,
        "first_name": first,
        "last_name": "Berg",
        "email": f"{username}@example.com",
        **more,
    }


def person(username: str, first: str, **more: Any) -> dict[str, Any]:
    known = {"user_name": username, "given_name": first, "family_name": "Berg", "active": True}
    return {**known, "email": f"{username}@example.com", **more}


def known(make_rig: MakeRig, target: ReferenceTarget, people: dict[str, dict[str, Any]], **more: Any) -> Rig:
    """People of whom HR spoke before the target was configured: none has an account there."""
    rig = make_rig(targets={"crm": target}, **more)
    rig.accept(*(rig.event(subject, data) for subject, data in people.items()))
    rig.fold()
    with rig.writer.begin() as connection:
        connection.execute(sa.delete(tables.account))
    return rig


def ask(rig: Rig) -> Run:
    return rig.runtime.desk.request_enrol("crm", ASKED_BY, "a new target")


def enrol(rig: Rig) -> Run:
    """The run once it is held, or over."""
    asked = ask(rig)
    rig.runtime.runs.carry_out(asked.id)
    return run(rig, asked.id)


def approve(rig: Rig, held: Run) -> Run:
    rig.runtime.desk.approve(held.id, CARLA, "looked at it")
    carry_out(rig)
    return run(rig, held.id)


def proposals(rig: Rig, run_id: int) -> list[tuple[Any, ...]]:
    """Account, verdict, HR key and what agrees."""
    proposal, identity = tables.proposal, tables.identity
    query = sa.select(proposal, identity.c.subject).select_from(
        proposal.outerjoin(identity, identity.c.id == proposal.c.identity_id)
    )
    with rig.writer.connect() as connection:
        rows = connection.execute(query.where(proposal.c.run_id == run_id)).all()
    found = [(row.remote_id, row.verdict, row.subject, row.evidence.get("agrees", [])) for row in rows]
    return sorted(found, key=lambda one: (one[0] or "~", one[2] or ""))


def links(rig: Rig) -> dict[str, str | None]:
    """HR key to the linked account."""
    account, identity = tables.account, tables.identity
    query = sa.select(identity.c.subject, account.c.remote_id).join(
        account, account.c.identity_id == identity.c.id
    )
    with rig.writer.connect() as connection:
        rows = connection.execute(query.where(account.c.remote_id.is_not(None))).all()
    return {row.subject: row.remote_id for row in rows}


def enrolled_at(rig: Rig) -> float | None:
    with rig.writer.connect() as connection:
        return target_states(connection)["crm"].enrolled_at


def test_links_are_proposed_with_evidence_and_nothing_is_linked_before_somebody_approves(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    users = [user(10, "mira", "Mira"), user(11, "nadia", "Nadia"), user(12, "robot", "", email="")]
    awx_target.reset(users=[DEFAULT_USERS[0], *users])
    people = {
        "E1": person("mira", "Mirabelle"),
        "E2": person("nadia", "Someone", family_name="Else", email="other@example.com"),
        "E3": person("zora", "Zora"),
    }
    rig = known(make_rig, awx_target, people, **kept_in)
    held = enrol(rig)
    assert proposals(rig, held.id) == [
        ("1", "protected", None, []),
        ("10", "link", "E1", ["username", "last_name", "email"]),
        ("11", "weak", "E2", ["username"]),
        ("12", "stranger", None, []),
        (None, "unmatched", "E3", []),
    ]
    assert (held.state, held.plan_hash is None) == ("held", False)
    assert held.note["proposed"] == {"protected": 1, "link": 1, "weak": 1, "stranger": 1, "unmatched": 1}
    assert (alarms(rig), links(rig), awx_target.writes()) == ([HELD_ALARM], {}, [])
    ended = approve(rig, held)
    assert (ended.state, ended.note["linked"], links(rig)) == ("done", {"linked": 1}, {"E1": "10"})
    assert awx_target.users()["mira"]["first_name"] == "Mirabelle"
    assert alarms(rig) == []
    (linked,) = rig.audit("account:link:")
    assert (linked["remote_id"], linked["evidence"]) == ("10", ["username", "last_name", "email"])
    assert (linked["run"], linked["approved_by"], linked["stream"]) == (
        held.id,
        "operator:carla",
        "target:crm",
    )
    assert [one["run"] for one in rig.audit("account:patch:intended")] == [held.id]
    assert rig.verify().breaks == ()


def test_what_was_linked_is_read_before_anything_is_sent(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mirabelle")})
    held = enrol(rig)
    assert enrolled_at(rig) is None
    before = len(awx_target.log())
    approve(rig, held)
    asked = [(entry["method"], entry["path"]) for entry in awx_target.log()[before:]]
    assert asked == [("GET", "/api/v2/users/10/"), ("PATCH", "/api/v2/users/10/")]
    assert enrolled_at(rig) is not None


def test_at_a_target_in_observe_nothing_is_sent_after_it_either(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mirabelle")}, **OBSERVING)
    assert approve(rig, enrol(rig)).state == "done"
    assert (links(rig), awx_target.writes()) == ({"E1": "10"}, [])
    assert "account:patch:planned" in rig.actions()


def test_several_people_or_several_accounts_are_ambiguous(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    users = [user(10, "mira", "Mira"), user(11, "old.nadia", "Nadia"), user(12, "nadia", "Nadia")]
    awx_target.reset(users=[DEFAULT_USERS[0], *users])
    people = {"E1": person("mira", "Mira"), "E2": person("mira", "Mira"), "E3": person("old.nadia", "Nadia")}
    rig = known(make_rig, awx_target, people, **kept_in)
    rig.say("E3", {"user_name": "nadia", "email": "nadia@example.com"})
    rig.fold()
    ended = enrol(rig)
    found = [row[:3] for row in proposals(rig, ended.id) if row[0] != "1"]
    assert found == [
        ("10", "ambiguous", "E1"),
        ("10", "ambiguous", "E2"),
        ("11", "ambiguous", "E3"),
        ("12", "ambiguous", "E3"),
    ]
    assert (ended.state, ended.note["proposed"], alarms(rig)) == (
        "done",
        {"protected": 1, "ambiguous": 3},
        [],
    )


def test_a_reused_name_goes_to_whom_more_speaks_for(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    """E1 was called mira; the account of that name is that of E2, who is called so now."""
    users = [user(10, "mira", "Mirko"), user(11, "m.berg", "Mira")]
    awx_target.reset(users=[DEFAULT_USERS[0], *users])
    people = {"E1": person("mira", "Mira", email="m.berg@example.com"), "E2": person("mira", "Mirko")}
    rig = known(make_rig, awx_target, people)
    rig.say("E1", {"user_name": "m.berg"})
    rig.fold()
    approve(rig, enrol(rig))
    assert links(rig) == {"E1": "11", "E2": "10"}


def test_another_name_with_the_same_address_is_weak(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira.b", "Mira", email="mira@example.com")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    ended = enrol(rig)
    assert proposals(rig, ended.id)[1] == ("10", "weak", "E1", ["first_name", "last_name", "email"])
    assert ended.state == "done"


def test_a_name_that_a_crowd_has_is_ambiguous_without_looking_at_them(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "temp", "Temp")])
    people = {f"E{number}": person("temp", "Temp") for number in range(21)}
    rig = known(make_rig, awx_target, people)
    assert proposals(rig, enrol(rig).id)[1] == ("10", "ambiguous", None, [])


def test_protected_accounts_are_never_proposed(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    users = [user(10, "mira", "Mira"), user(11, "Nadia", "Nadia"), user(12, "zora", "Zora")]
    awx_target.reset(users=[DEFAULT_USERS[0], *users])
    people = {
        "E0": person("admin", "Admin", email="admin@example.com"),
        "E1": person("mira", "Mira"),
        "E2": person("Nadia", "Nadia"),
        "E3": person("zora", "Zora"),
    }
    guarded = {"protected": {"usernames": ["nadia"], "ids": ["10"]}}
    rig = known(make_rig, awx_target, people, options={"crm": guarded})
    held = enrol(rig)
    verdicts = {row[0]: row[1] for row in proposals(rig, held.id) if row[0]}
    assert verdicts == {"1": "protected", "10": "protected", "11": "protected", "12": "link"}
    approve(rig, held)
    assert links(rig) == {"E3": "12"}


def test_whose_link_an_operator_took_away_is_left_alone(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira"), user(11, "nadia", "Nadia")])
    rig = make_rig(targets={"crm": awx_target}, **kept_in)
    rig.accept(rig.event("E1", person("mira", "Mira")), rig.event("E2", person("zora", "Zora")))
    rig.fold()
    with rig.writer.begin() as connection:
        holds = {ACCOUNT: ["unlinked", "taken away", "", 0.0]}
        connection.execute(sa.update(tables.account).values(held=holds, due_at=None))
    ended = enrol(rig)
    assert proposals(rig, ended.id)[1:] == [
        ("10", "unlinked", "E1", ["username", "first_name", "last_name", "email"]),
        ("11", "stranger", None, []),
    ]
    assert (ended.state, links(rig)) == ("done", {})


def test_who_does_not_belong_there_or_is_linked_is_not_proposed(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira"), user(11, "nadia", "Nadia")])
    people = {
        "E1": person("mira", "Mira", department="Care"),
        "E2": person("zora", "Zora", department="Ward"),
    }
    rig = known(make_rig, awx_target, people, options={"crm": {"scope": "department == 'Sales'"}})
    rig.say("E3", person("nadia", "Nadia", department="Sales"))
    rig.work()
    assert links(rig) == {"E3": "11"}
    ended = enrol(rig)
    assert [row[:3] for row in proposals(rig, ended.id)] == [
        ("1", "protected", None),
        ("10", "outside", "E1"),
    ]
    assert (ended.state, ended.note["already"], ended.note["counted"]) == ("done", 1, {"accounts": 3})


def test_an_old_account_of_somebody_who_is_linked_is_told_as_such(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = make_rig(targets={"crm": awx_target})
    rig.say("E1", person("mira", "Mira"))
    rig.work()
    rig.say("E1", {"user_name": "mira.b"})
    rig.work()
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira.b", "Mira"), user(11, "mira", "Mira")])
    ended = enrol(rig)
    assert [row[:3] for row in proposals(rig, ended.id)][1:] == [("11", "ambiguous", "E1")]
    with rig.writer.connect() as connection:
        said = connection.scalars(sa.select(tables.proposal.c.evidence)).all()
    assert [one.get("other") for one in said if one.get("other")] == ["10"]


def test_who_asked_does_not_approve_and_a_role_is_needed(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    held = enrol(rig)
    for who in (Principal("olga", Role.APPROVER), Principal("bert", Role.OPERATOR)):
        with pytest.raises(NotAllowedError):
            rig.runtime.desk.approve(held.id, who, "me")
    carry_out(rig)
    assert (run(rig, held.id).state, links(rig)) == ("held", {})


def test_a_cancelled_one_links_nothing(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    held = enrol(rig)
    rig.runtime.desk.cancel(held.id, CARLA, "another day")
    with pytest.raises(ValueError, match="cancelled"):
        rig.runtime.desk.approve(held.id, CARLA, "after all")
    carry_out(rig)
    assert (links(rig), alarms(rig)) == ({}, [])
    assert ask(rig).id > held.id


def test_one_enrolment_of_a_target_at_a_time(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    held = enrol(rig)
    with pytest.raises(ValueError, match=f"run {held.id} already, which is held"):
        ask(rig)


def test_what_changed_before_the_approval_is_left(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    names = ["kept", "renamed", "tied", "linked", "owned", "busy", "merged"]
    users = [user(10 + place, name, name.title()) for place, name in enumerate(names)]
    awx_target.reset(users=[DEFAULT_USERS[0], *users])
    people = {f"E{place}": person(name, name.title()) for place, name in enumerate(names)}
    rig = known(make_rig, awx_target, people, options={"crm": {"mode": "observe"}}, **kept_in)
    held = enrol(rig)
    assert held.note["proposed"] == {"protected": 1, "link": len(names)}
    rig.say("E1", person("another", "Name", family_name="Other", email="a@example.com"))
    rig.say("E9", person("tied", "Tied"))
    rig.fold()
    with rig.writer.begin() as connection:
        connection.execute(sa.delete(tables.account))
        merged = sa.update(tables.identity).where(tables.identity.c.subject == "E6")
        connection.execute(merged.values(merged_into=1))
        rows = dict(connection.execute(sa.select(tables.identity.c.subject, tables.identity.c.id)).all())
        fresh = {"target_id": 1, "shard": 0, "applied_revision": 0, "priority": 1, "state": {}}
        linked = {"identity_id": rows["E3"], "remote_id": "99", "lease_token": None}
        owner = {"identity_id": rows["E9"], "remote_id": "14", "lease_token": None}
        leased = {"identity_id": rows["E5"], "remote_id": None, "lease_token": "w", "due_at": 9e12}
        for item in (linked, owner, leased):
            connection.execute(sa.insert(tables.account).values(**fresh, **item))
    rig.runtime.desk.approve(held.id, CARLA, "looked at it")
    rig.runtime.runs.carry_out(held.id)
    ended = run(rig, held.id)
    assert ended.note["linked"] == {"linked": 2, "changed": 2, "has_one": 1, "busy": 1, "gone": 1}
    assert links(rig) == {"E0": "10", "E2": "12", "E3": "99", "E9": "14"}
    assert (ended.state, ended.total, ended.done) == ("done", 7, 7)


def test_a_namesake_who_came_before_the_approval_keeps_the_link_back(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    held = enrol(rig)
    rig.say("E2", person("mira", "Mira"))
    rig.fold()
    rig.runtime.desk.approve(held.id, CARLA, "looked at it")
    rig.runtime.runs.carry_out(held.id)
    assert (run(rig, held.id).note["linked"], links(rig)) == ({"changed": 1}, {})


def test_a_list_that_is_too_old_is_not_linked(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    held = enrol(rig)
    with rig.writer.begin() as connection:
        position = connection.scalars(sa.select(tables.run.c.position)).one()
        position["enrol"]["began"] -= 90_000
        connection.execute(sa.update(tables.run).values(position=position))
    ended = approve(rig, held)
    assert (ended.state, links(rig)) == ("failed", {})
    assert ended.note["failed"] == "its listing is too old by now: enrol again"


@pytest.mark.parametrize("left", [0, 1], ids=["empty", "short"])
def test_an_empty_or_short_listing_proposes_nothing(
    make_rig: MakeRig, awx_target: ReferenceTarget, left: int
) -> None:
    people = 5
    seed(awx_target, people)
    rig = make_rig(targets={"crm": awx_target})
    rig.accept(*(rig.event(f"E{number}", said(number)) for number in range(people)))
    rig.work()
    awx_target.reset(users=[DEFAULT_USERS[0], *[user(99, "mira", "Mira")] * left])
    rig.say("M1", person("mira", "Mira"))
    rig.fold()
    ended = enrol(rig)
    assert (ended.state, proposals(rig, ended.id)) == ("failed", [])
    assert ended.note["failed"] == "the listing of crm has 0 of 5 linked accounts"
    (told,) = rig.audit("run:enrol:failed")
    assert told["reason"] == ended.note["failed"]


def test_a_page_that_is_no_answer_is_asked_for_again(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    asked = ask(rig)
    awx_target.faults([{**LIST, "fault": {"kind": "status", "status": 500}}])
    rig.runtime.runs.carry_out(asked.id)
    assert (run(rig, asked.id).state, proposals(rig, asked.id)) == ("waiting", [])

    def over() -> bool:
        rig.runtime.runs.carry_out(asked.id)
        return run(rig, asked.id).state == "held"

    until(over, "the list is whole")


def stepping(rig: Rig) -> Runs:
    """A worker that dies after each step."""
    runtime = rig.runtime
    lister = build_lister(rig.settings, runtime.store, runtime.keeper, Timing(), rig.stopping)
    runs = build_target_runs(rig.settings, runtime.store, rig.signals, runtime.targets)
    kind = build_enrolling(rig.settings, runs, lister)
    return Runs(runtime.store, rig.signals, rig.stopping, {ENROL: kind}, 0.0)


def test_who_is_linked_while_the_list_is_made_is_weighed_as_everybody(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    users = [user(10, "old.mira", "Mira"), user(11, "mira", "Mira"), user(12, "nadia", "Nadia")]
    awx_target.reset(users=[DEFAULT_USERS[0], *users])
    people = {"E1": person("old.mira", "Mira"), "E2": person("nadia", "Nadia")}
    rig = known(make_rig, awx_target, people, **kept_in)
    rig.say("E1", {"user_name": "mira"})
    rig.fold()
    worker, asked = stepping(rig), ask(rig)
    worker.carry_out(asked.id)
    with rig.writer.begin() as connection:
        whose = sa.select(tables.identity.c.id).where(tables.identity.c.subject == "E1").scalar_subquery()
        mine = sa.update(tables.account).where(tables.account.c.identity_id == whose)
        connection.execute(mine.values(remote_id="99"))
    worker.carry_out(asked.id)
    verdicts = {row[0]: row[1] for row in proposals(rig, asked.id)}
    assert verdicts == {"1": "protected", "10": "ambiguous", "11": "ambiguous", "12": "link"}


@pytest.mark.slow
def test_another_worker_goes_on_where_one_died_in_both_stages(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    many = PAGE + 50
    seed(awx_target, many)
    people = {f"E{number}": said(number) for number in range(many)}
    rig = known(make_rig, awx_target, people, **OBSERVING, **kept_in)
    other = Rig(rig.settings, rig.signals)
    workers = [stepping(rig), stepping(other)]
    asked = ask(rig)
    workers[0].carry_out(asked.id)
    here = run(rig, asked.id)
    assert (here.state, here.done, Place.of(here).pages) == ("running", PAGE, 1)
    for turn in range(1, 4):  # the second page, and two of people
        workers[turn % 2].carry_out(asked.id)
    held = run(rig, asked.id)
    assert (held.state, held.note["proposed"]) == ("held", {"link": many, "protected": 1, "stranger": 1})
    rig.runtime.desk.approve(held.id, CARLA, "looked at it")
    for turn in range(2):  # heeds the approval, and links one page
        workers[turn % 2].carry_out(asked.id)
    here = run(rig, asked.id)
    assert (here.state, here.done, len(links(rig))) == ("running", PAGE, PAGE)
    workers[0].carry_out(asked.id)
    ended = run(rig, asked.id)
    assert (ended.state, ended.note["linked"]) == ("done", {"linked": many})
    assert links(rig) == {f"E{number}": str(10 + number) for number in range(many)}
    assert len(rig.audit("account:link:linked")) == many
    other.close()


def test_a_step_that_breaks_off_leaves_nothing_behind(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    """The page is committed with the run's place, or not at all."""
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    held = enrol(rig)
    rig.runtime.desk.approve(held.id, CARLA, "looked at it")
    worker = stepping(rig)
    worker.carry_out(held.id)
    with rig.writer.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TRIGGER dies BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'the power fails'); END"
            )
        )
    with pytest.raises(sa.exc.IntegrityError):
        worker.carry_out(held.id)
    assert (links(rig), rig.audit("account:link:")) == ({}, [])
    with rig.writer.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER dies"))
    worker.carry_out(held.id)
    assert (run(rig, held.id).state, links(rig)) == ("done", {"E1": "10"})


def test_a_page_lost_with_its_worker_is_read_again_after_the_lease(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, "mira", "Mira")])
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")})
    asked = ask(rig)
    with rig.runtime.store.begin() as tx:
        assert tx.leases.take(f"run:{asked.id}", Lease("dead", tx.now, tx.now + 0.3))
    rig.runtime.runs.carry_out(asked.id)
    assert run(rig, asked.id).state == "waiting"

    def over() -> bool:
        rig.runtime.runs.carry_out(asked.id)
        return run(rig, asked.id).state == "held"

    until(over, "the list is whole")


def test_a_target_whose_people_cannot_be_looked_up_is_not_enrolled(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    options = {"crm": {"mapping": {"username": "join_present([given_name, family_name], '.')"}}}
    rig = known(make_rig, awx_target, {"E1": person("mira", "Mira")}, options=options)
    ended = enrol(rig)
    assert (ended.state, "nobody can be looked up" in str(ended.note["failed"])) == ("failed", True)


def test_names_of_sensitive_fields_are_masked(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.reset(users=[DEFAULT_USERS[0], user(10, user_name(1), "Mira")])
    rig = known(make_rig, awx_target, {"E1": said(1)}, audit={"masked": ["user_name"]})
    held = enrol(rig)
    with rig.writer.connect() as connection:
        shown = connection.scalars(sa.select(tables.proposal.c.evidence)).all()
    assert {one["name"] for one in shown if "name" in one} == {"(masked)"}
    assert approve(rig, held).note["linked"] == {"linked": 1}
