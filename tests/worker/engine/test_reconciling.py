"""A reconciliation reports what differs and why, touches nothing by itself, and repairs under all guards."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from connectors.sdk.model import Change, Exchange, History, Outcome, OutcomeKind
from tests.fixtures.targets import DEFAULT_USERS, ReferenceTarget
from tests.waiting import until
from tests.worker.domain.builders import POLICY
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import CARLA, alarms, carry_out, run, seed, settle, user_name
from tests.worker.engine.holding import Holding, holding
from tests.worker.engine.rig import Rig
from worker.engine.comparing import shown
from worker.engine.keeper import ALARM
from worker.engine.listing import Place
from worker.engine.reconcile_desk import ReconcileDesk
from worker.engine.reconcile_ports import Changed
from worker.engine.reconciling import RECONCILE_ALARM, Policy
from worker.engine.rows import Lease, Run
from worker.engine.runs import HELD_ALARM
from worker.engine.telling import who
from worker.storage import tables

PEOPLE = 5
LIST = {"method": "GET", "path": "/api/v2/users/$"}
PAGE = 200  # accounts on one page of AWX


@pytest.fixture(params=["sqlite", "postgresql"])
def kept_in(request: pytest.FixtureRequest) -> dict[str, str]:
    """What `make_rig` needs for a database of that kind."""
    return {} if request.param == "sqlite" else {"database": request.getfixturevalue("postgres_url")}


def change(target: ReferenceTarget, username: str, **fields: Any) -> None:
    """Somebody changes an account at the target, past Hirewire."""
    url = f"{target.base_url}/api/v2/users/{target.users()[username]['id']}/"
    requests.patch(url, json=fields, headers=target.authorization, timeout=30).raise_for_status()


def delete(target: ReferenceTarget, username: str) -> None:
    url = f"{target.base_url}/api/v2/users/{target.users()[username]['id']}/"
    requests.delete(url, headers=target.authorization, timeout=30).raise_for_status()


def ask(rig: Rig, policy: Policy = Policy.REPORT) -> Run:
    return ReconcileDesk(rig.runtime.store, rig.signals).request("crm", policy, "cli:olga", "a look")


def reconcile(rig: Rig, policy: Policy = Policy.REPORT) -> Run:
    asked = ask(rig, policy)
    carry_out(rig)
    return run(rig, asked.id)


def found(ended: Run) -> Any:
    return ended.note["found"]


def drift(rig: Rig, run_id: int) -> list[tuple[Any, ...]]:
    """Of people: HR key, field, cause, what is wanted, what the listing showed."""
    table = tables.drift
    query = sa.select(table).where(table.c.run_id == run_id, table.c.subject.is_not(None))
    with rig.writer.connect() as connection:
        rows = connection.execute(query.order_by(table.c.subject, table.c.field)).all()
    return [(row.subject, row.field, row.cause, row.wanted, row.observed) for row in rows]


def who_changed(rig: Rig, run_id: int) -> dict[tuple[str, str], str | None]:
    table = tables.drift
    with rig.writer.connect() as connection:
        rows = connection.execute(sa.select(table).where(table.c.run_id == run_id)).all()
    return {(row.subject, row.field): row.changed_by for row in rows if row.cause == "changed"}


def strangers(rig: Rig, run_id: int) -> list[Any]:
    table = tables.drift
    query = sa.select(table.c.observed).where(table.c.run_id == run_id, table.c.cause == "stranger")
    with rig.writer.connect() as connection:
        return list(connection.scalars(query))


def test_a_report_tells_what_was_changed_outside_and_touches_nothing(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, **kept_in)
    change(awx_target, user_name(2), first_name="Somebody")
    before, observed = len(awx_target.writes()), rig.account("E2", "crm").observed
    ended = reconcile(rig)
    assert ended.state == "done"
    assert drift(rig, ended.id) == [("E2", "first_name", "changed", "Given2", "Somebody")]
    assert (found(ended)["listed"], found(ended)["linked"], found(ended)["differing"]) == (7, 5, 1)
    assert len(awx_target.writes()) == before
    assert rig.account("E2", "crm").observed == observed
    assert awx_target.users()[user_name(2)]["first_name"] == "Somebody"


def test_who_changed_it_is_told_by_the_log_of_the_target(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, **kept_in)
    change(awx_target, user_name(2), first_name="Somebody")
    change(awx_target, user_name(4), first_name="Else", email="else@example.com")
    ended = reconcile(rig)
    assert ended.state == "done"
    assert who_changed(rig, ended.id) == {
        ("E2", "first_name"): "admin",
        ("E4", "email"): "admin",
        ("E4", "first_name"): "admin",
    }
    assert ended.note["told"] == {"asked": 2}


def test_a_log_that_is_closed_is_asked_once_and_holds_nothing_up(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE + 1)
    for number in (1, 2):
        change(awx_target, user_name(number), last_name="Somebody")
    closed = {"kind": "status", "status": 403, "body": {"detail": "No."}}
    awx_target.faults([{"path": "/activity_stream/$", "times": None, "fault": closed}])
    ended = reconcile(rig)
    assert (ended.state, found(ended)["differing"]) == ("done", 2)
    assert set(who_changed(rig, ended.id).values()) == {None}
    told: Any = ended.note["told"]
    assert (told["asked"], told["ended"][:9]) == (1, "forbidden")
    assert alarms(rig) == []


def test_a_run_that_was_held_does_not_ask_the_log_again(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE)
    for number in (1, 2):
        change(awx_target, user_name(number), first_name="Somebody")
    held = reconcile(rig, Policy.REPAIR)
    rig.runtime.desk.approve(held.id, CARLA, "seen")
    carry_out(rig)
    ended = run(rig, held.id)
    assert (held.state, ended.state) == ("held", "done")
    assert held.note["told"] == ended.note["told"] == {"asked": 2}
    asked = [entry["path"] for entry in awx_target.log() if entry["path"].endswith("/activity_stream/")]
    assert len(asked) == len(set(asked)) == 2


def test_a_change_is_told_only_where_the_log_shows_the_value_that_was_listed() -> None:
    policy = replace(POLICY, masked=frozenset({"email"}))
    log = [Change("first_name", "Newer", "eva", "t2"), Change("first_name", "Listed", "adam", "t1")]
    log.append(Change("email", "a@example.com", "eva", "t0"))
    history = History(Outcome(OutcomeKind.OBSERVED, Exchange("GET", "/")), tuple(log))
    listed = Changed(1, "7", {"first_name": "Listed", "email": shown(policy, "email", "a@example.com")})
    assert {name: one.by for name, one in who(policy, listed, history).items()} == {"email": "eva"}


def test_a_repair_has_it_read_again_and_mended(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE + 1, **kept_in)
    change(awx_target, user_name(2), first_name="Somebody")
    ended = reconcile(rig, Policy.REPAIR)
    assert (ended.state, found(ended)["marked"]) == ("done", 1)
    assert awx_target.users()[user_name(2)]["first_name"] == "Given2"
    intent = rig.audit("account:patch:intended")[-1]
    assert (intent["run"], intent["target"]) == (ended.id, "crm")
    assert found(reconcile(rig))["differing"] == 0


def test_a_repair_of_too_much_is_held_and_marks_nothing_before_somebody_approves(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, **kept_in)
    for number in (1, 2):
        change(awx_target, user_name(number), first_name="Somebody")
    held = reconcile(rig, Policy.REPAIR)
    assert (held.state, found(held)["marked"]) == ("held", 0)
    assert alarms(rig) == [HELD_ALARM]
    assert awx_target.users()[user_name(1)]["first_name"] == "Somebody"
    rig.runtime.desk.approve(held.id, CARLA, "seen")
    carry_out(rig)
    ended = run(rig, held.id)
    assert (ended.state, found(ended)["marked"]) == ("done", 2)
    assert awx_target.users()[user_name(1)]["first_name"] == "Given1"
    assert alarms(rig) == []


def test_an_account_that_is_not_listed_is_reported_and_never_deleted(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE + 1, **kept_in)
    delete(awx_target, user_name(3))
    ended = reconcile(rig)
    assert drift(rig, ended.id) == [("E3", "@account", "missing", None, None)]
    assert rig.account("E3", "crm").remote_id is not None
    assert reconcile(rig, Policy.REPAIR).state == "done"
    account = rig.account("E3", "crm")
    assert account.remote_id is None
    assert [hold.reason.value for hold in account.held.values()] == ["missing"]


def test_a_short_listing_fails_the_run_and_marks_nothing(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, **kept_in)
    seed(awx_target, 1)
    ended = reconcile(rig, Policy.REPAIR)
    assert ended.state == "failed"
    assert ended.note["failed"] == "the listing of crm has 1 of 5 linked accounts"
    assert alarms(rig) == [RECONCILE_ALARM]
    assert (rig.due(), awx_target.writes()) == ([], [])
    assert "missing" not in {row[2] for row in drift(rig, ended.id)}
    assert {rig.account(f"E{n}", "crm").remote_id for n in range(PEOPLE)} == {
        str(10 + n) for n in range(PEOPLE)
    }
    seed(awx_target, PEOPLE)
    assert reconcile(rig).state == "done"
    assert alarms(rig) == []


def test_an_empty_listing_fails_the_run(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = settle(make_rig, awx_target, PEOPLE)
    awx_target.reset(users=[DEFAULT_USERS[0]])
    assert (reconcile(rig, Policy.REPAIR).state, rig.due()) == ("failed", [])


def test_strangers_are_counted_and_never_touched(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = settle(make_rig, awx_target, 1)
    before = len(awx_target.writes())
    ended = reconcile(rig, Policy.REPAIR)
    assert strangers(rig, ended.id) == ["nadia"]
    assert (found(ended)["strangers"], found(ended)["protected"]) == (1, 1)  # the other one owns our token
    assert len(awx_target.writes()) == before


def test_what_the_target_never_got_is_not_called_a_change(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE)
    rig.say("E2", {"given_name": "Later"})
    rig.fold()
    asked = ask(rig, Policy.REPAIR)
    rig.runtime.runs.carry_out(asked.id)
    ended = run(rig, asked.id)
    assert drift(rig, ended.id) == [("E2", "first_name", "never_applied", "Later", "Given2")]
    assert (found(ended)["marked"], found(ended)["passed"]) == (0, 1)  # it is on its way


def test_what_is_held_is_told_as_held(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    options = {"crm": {"mapping": {"is_superuser": "custom.admin"}}}
    rig = settle(make_rig, awx_target, PEOPLE, options=options)
    rig.say("E1", {"custom": {"admin": True}})
    rig.work()
    ended = reconcile(rig, Policy.REPAIR)
    assert drift(rig, ended.id) == [("E1", "is_superuser", "held", True, False)]
    assert found(ended)["marked"] == 0


def test_another_mapping_is_told_as_such(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    settle(make_rig, awx_target, PEOPLE)
    rig = make_rig(targets={"crm": awx_target}, options={"crm": {"mapping": {"first_name": "department"}}})
    asked = ask(rig)
    carry_out_until_over(rig, asked.id)
    assert {row[2] for row in drift(rig, asked.id)} == {"mapping"}


def test_values_of_sensitive_fields_are_masked(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, audit={"masked": ["email"]})
    change(awx_target, user_name(2), email="private@example.com")
    ended = reconcile(rig)
    assert drift(rig, ended.id) == [("E2", "email", "changed", "(masked)", "(masked)")]


PATIENT = {"crm": {"timeouts": {"connect_s": 1, "read_s": 15, "deadline_s": 16}}}


def held_back(rig: Rig, door: Holding, policy: Policy) -> tuple[Run, threading.Thread]:
    """A run whose page the target has made, and which has not got it yet."""
    asked = ask(rig, policy)
    worker = threading.Thread(target=carry_out_until_over, args=[rig, asked.id])
    worker.start()
    assert door.came.wait(20)
    return asked, worker


def test_a_page_that_is_older_than_what_was_settled_meanwhile_says_nothing(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    """The page is made, HR's change arrives and settles, and only then the page is here."""
    with holding(awx_target) as door:
        rig = settle(make_rig, door, PEOPLE, options=PATIENT, **kept_in)
        asked, worker = held_back(rig, door, Policy.REPAIR)
        rig.say("E2", {"given_name": "Newer"})
        rig.work()
        assert awx_target.users()[user_name(2)]["first_name"] == "Newer"
        door.let_go.set()
        worker.join()
        rig.work()
    ended = run(rig, asked.id)
    assert (ended.state, found(ended)["in_motion"], drift(rig, ended.id)) == ("done", 1, [])
    assert awx_target.users()[user_name(2)]["first_name"] == "Newer"


def test_a_change_at_the_target_behind_the_page_is_left_to_the_next_look(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    with holding(awx_target) as door:
        rig = settle(make_rig, door, PEOPLE, options=PATIENT)
        asked, worker = held_back(rig, door, Policy.REPAIR)
        change(awx_target, user_name(2), first_name="Somebody")
        door.let_go.set()
        worker.join()
        rig.work()
        assert drift(rig, asked.id) == []
        assert awx_target.users()[user_name(2)]["first_name"] == "Somebody"
        again = reconcile(rig)
    assert drift(rig, again.id) == [("E2", "first_name", "changed", "Given2", "Somebody")]


def test_only_what_is_quiet_and_was_not_seen_since_is_marked(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, **kept_in)
    rig.say("E1", {"given_name": "Pending"})
    rig.fold()
    ids = [rig.account(f"E{n}", "crm").id for n in range(4)]
    seen_at = rig.account("E2", "crm").observed_at
    with rig.runtime.store.begin() as tx:
        lease = Lease("another", tx.now, tx.now + 60)
        claimed = {
            one.account.id for one in tx.accounts.claim(0, 1, 1, lease)
        }  # E1, the only one that is due
        listed = {ids[0]: tx.now, ids[1]: tx.now, ids[2]: seen_at, ids[3]: tx.now}
        run_id = tx.runs.create("reconcile", {}, "cli:olga", tx.now).id
        marked = tx.drifts.require_read(listed, tx.now, run_id)
    assert claimed == {ids[1]}
    assert marked == [ids[0], ids[3]]


def test_a_listing_is_read_page_by_page_and_goes_on_where_it_was(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE)
    seed(awx_target, 2 * PAGE)
    asked = ask(rig)
    awx_target.faults([{**LIST, "fault": {"kind": "status", "status": 500}, "after": 1}])
    rig.runtime.runs.carry_out(asked.id)
    here = run(rig, asked.id)
    assert (here.state, here.done, here.total) == ("running", PAGE, 2 * PAGE + 2)
    carry_out_until_over(rig, asked.id)
    ended = run(rig, asked.id)
    assert (ended.state, found(ended)["listed"], found(ended)["linked"]) == ("done", 2 * PAGE + 2, PEOPLE)
    assert Place.of(ended).pages == 3


def carry_out_until_over(rig: Rig, run_id: int) -> None:
    def over() -> bool:
        rig.runtime.runs.carry_out(run_id)
        return run(rig, run_id).state in ("done", "failed")

    until(over, "the run is over")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
        {"kind": "html"},
        {"kind": "cut"},
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 403},
    ],
    ids=["500", "429", "html", "cut", "404", "403"],
)
def test_a_page_that_is_no_answer_is_asked_for_again_and_never_taken_for_the_end(
    make_rig: MakeRig, awx_target: ReferenceTarget, fault: dict[str, Any]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE)
    asked = ask(rig, Policy.REPAIR)
    awx_target.faults([{**LIST, "fault": fault}])
    rig.runtime.runs.carry_out(asked.id)
    assert (run(rig, asked.id).state, run(rig, asked.id).done) == ("waiting", 0)
    carry_out_until_over(rig, asked.id)
    assert (run(rig, asked.id).state, found(run(rig, asked.id))["linked"]) == ("done", PEOPLE)


def test_nothing_is_asked_of_a_paused_target(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = settle(make_rig, awx_target, 1)
    with rig.runtime.store.begin() as tx:
        tx.targets.pause(1, "maintenance", "olga", None)
    before = len(awx_target.log())
    asked = ask(rig)
    rig.runtime.runs.carry_out(asked.id)
    assert (run(rig, asked.id).state, len(awx_target.log())) == ("waiting", before)
    assert ALARM not in alarms(rig)


def test_two_workers_never_take_one_page_twice(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE, **kept_in)
    seed(awx_target, 3 * PAGE)
    other = Rig(rig.settings, rig.signals)
    asked = ask(rig)
    workers = [threading.Thread(target=carry_out_until_over, args=[one, asked.id]) for one in (rig, other)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    other.close()
    ended = run(rig, asked.id)
    assert (ended.state, found(ended)["listed"], ended.done) == ("done", 3 * PAGE + 2, 3 * PAGE + 2)
    assert Place.of(ended).pages == 4


def test_two_reconciliations_of_a_target_never_overlap(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = settle(make_rig, awx_target, 1)
    first = ask(rig)
    with pytest.raises(ValueError, match=f"run {first.id} already"):
        ask(rig)
    carry_out(rig)
    assert ask(rig).id > first.id


def test_whose_link_an_operator_took_away_is_left_alone(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = settle(make_rig, awx_target, PEOPLE + 1)
    with rig.writer.begin() as connection:
        mine = tables.account.c.id == rig.account("E2", "crm").id
        holds = {"@account": ["unlinked", "taken away", "", 0.0]}
        connection.execute(sa.update(tables.account).where(mine).values(remote_id=None, held=holds))
    change(awx_target, user_name(2), first_name="Somebody")
    ended = reconcile(rig, Policy.REPAIR)
    assert (drift(rig, ended.id), found(ended)["marked"]) == ([], 0)
    assert user_name(2) in strangers(rig, ended.id)
    assert awx_target.users()[user_name(2)]["first_name"] == "Somebody"
