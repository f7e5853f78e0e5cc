"""What `plan` says is what is sent: compared with the requests that the reference target then saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import DEFAULT_USERS
from tests.worker.engine.crowd import NAMES_BY_DEPARTMENT, carry_out
from tests.worker.engine.deciders import Desk
from tests.worker.engine.planner import Planner, foretold, seen
from tests.worker.engine.test_faults import fault
from tests.worker.engine.test_path import ANNA
from worker.domain.account import Reason
from worker.engine.account_plan import Verdict
from worker.storage.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig
    from worker.domain.account import Account

BADGE = {"mapping": {"attributes.badge": "custom.badge"}}
LEFT = {"type": "hirewire.person.left"}
ADMIN = {"mapping": {"is_superuser": "custom.admin"}}


@pytest.fixture
def planner() -> Iterator[Callable[[Rig], Planner]]:
    made: list[Planner] = []

    def make(rig: Rig) -> Planner:
        made.append(Planner(rig))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rows(rig: Rig) -> dict[str, list[Any]]:
    """Everything that is stored."""
    with rig.writer.connect() as connection:
        return {table.name: connection.execute(sa.select(table)).all() for table in metadata.sorted_tables}


GUARDED = {
    "mapping": {"is_superuser": "custom.admin", "is_system_auditor": "custom.auditor"},
    "privileged": {"is_superuser": "approve", "is_system_auditor": "allow"},
    "protected": {"usernames": ["root"]},
    "scope": "department != 'Care'",
    "on_leave_scope": "hold",
}
CHANGES: list[dict[str, Any]] = [
    {"given_name": "Annika"},
    {"given_name": "Ann", "family_name": "Stone"},
    {"user_name": "anna.stone", "email": "anna.stone@example.com"},
    {"family_name": None},
    {"given_name": "Ann"},
    {"given_name": "Anni", "email": "no address"},
    {"custom": {"admin": True, "auditor": True}, "family_name": "Berg"},
    {"custom": {"auditor": False}, "email": "anna@example.com"},
    {"user_name": "ROOT", "given_name": "Annika"},
    {"department": "Care", "given_name": "Anna"},
    {"department": "Sales"},
    {"user_name": "omar.haddad"},
]


def test_what_is_planned_is_what_is_sent_whatever_the_change(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(options={"awx": GUARDED}, engine={"revocation_recheck_s": 0})
    rig.say("E1", {**ANNA, "department": "Sales"})
    rig.work()
    looking = planner(rig)
    for change in CHANGES:
        before = len(awx_target.writes())
        rig.say("E1", change)
        plan = looking.of("E1")
        rig.work()
        after = rig.account("E1", "awx")
        assert foretold(plan.requests) == seen(awx_target, before), change
        if Reason.UNIQUE not in {hold.reason for hold in after.held.values()}:  # nobody can foretell that
            assert _reasons(plan.account) == _reasons(after), change


def _reasons(account: Account) -> dict[str, Reason]:
    return {name: hold.reason for name, hold in account.held.items()}


def test_a_plan_from_an_event_that_is_not_stored_is_what_it_brings(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(database=database_url)
    rig.say("E1", ANNA)
    rig.work()
    body = rig.event("E1", {"given_name": "Annika"})
    looking = planner(rig)
    stored, log = rows(rig), awx_target.log()
    plan = looking.of("E1", [looking.event(body)])
    assert (rows(rig), awx_target.log()) == (stored, log)
    assert (plan.verdict, plan.reasons) == (Verdict.SEND, ())
    rig.accept(body)
    rig.work()
    assert foretold(plan.requests) == seen(awx_target, 0)


def test_a_body_that_is_said_to_be_exact_is_what_left(
    make_rig: MakeRig, authentik_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(targets={"sso": authentik_target}, options={"sso": BADGE})
    rig.say("E1", ANNA)
    rig.work()
    looking = planner(rig)
    for change, exact in (({"given_name": "Annika"}, True), ({"custom": {"badge": "77"}}, False)):
        before = len(authentik_target.writes())
        rig.say("E1", change)
        plan = looking.of("E1")
        rig.work()
        assert [request.exact for request in plan.requests] == [exact]
        sent = seen(authentik_target, before)
        assert [(one.method, one.path) for one in plan.requests] == [wire[:2] for wire in sent]
        assert (foretold(plan.requests) == sent) is exact


def test_a_lock_out_comes_first_and_what_follows_is_planned_as_well(
    make_rig: MakeRig, django_admin_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(targets={"admin": django_admin_target})
    rig.say("E1", ANNA)
    rig.work()
    before = len(django_admin_target.writes())
    rig.say("E1", {"given_name": "Annika"}, **LEFT)
    plan = planner(rig).of("E1")
    rig.work()
    assert [request.revocation for request in plan.requests] == [True, False]
    assert foretold(plan.requests) == seen(django_admin_target, before)


def test_a_demotion_is_planned_without_its_password(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(options={"awx": {"leaver": "demote"}})
    rig.say("E1", ANNA)
    rig.work()
    rig.say("E1", {}, **LEFT)
    (request,) = planner(rig).of("E1").requests
    rig.work()
    (sent,) = awx_target.writes()
    assert (request.method, request.path, dict(request.body)) == (sent["method"], sent["path"], {})
    assert (request.revocation, request.exact) == (True, False)


def test_the_brake_is_asked_as_it_stands_and_counts_what_is_planned_before(
    make_rig: MakeRig, django_admin_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    people = [{"username": f"p{n}", "first_name": "P", "last_name": f"p{n}"} for n in range(4)]
    django_admin_target.reset(users=[{"username": "admin", "is_superuser": True, "is_staff": True}, *people])
    rig = make_rig(targets={"admin": django_admin_target}, engine={"brake_min": 2})
    for n in range(4):
        rig.say(f"E{n}", {"user_name": f"p{n}", "given_name": "P", "family_name": f"p{n}"})
    rig.work()
    for n in range(4):
        rig.say(f"E{n}", {}, **LEFT)
    rig.fold()
    looking = planner(rig)
    planned = [*looking.planning().of_accounts({})]
    assert [plan.verdict for plan in planned] == [Verdict.SEND] * 2 + [Verdict.HELD] * 2
    assert {hold.reason for plan in planned[2:] for hold in plan.account.held.values()} == {Reason.BRAKE}
    assert planned[3].approvable == {"is_active"}
    rig.work()
    assert len(django_admin_target.writes()) == sum(len(plan.requests) for plan in planned)
    assert looking.of("E0").brake is not None


def test_an_approval_counts_while_it_stands(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(options={"awx": {**ADMIN, "privileged": {"is_superuser": "approve"}}})
    rig.say("E1", {**ANNA, "custom": {"admin": True}})
    rig.work()
    looking, desk = planner(rig), Desk(rig)
    waiting = looking.of("E1")
    assert (waiting.verdict, waiting.requests, waiting.approvable) == (Verdict.HELD, (), {"is_superuser"})
    desk.approve("E1", "is_superuser")
    plan = looking.of("E1")
    assert [request.approved for request in plan.requests] == [("is_superuser",)]
    assert foretold(plan.requests) == [("PATCH", "/api/v2/users/2/", {"is_superuser": True})]
    desk.operators.revoke("alice", desk.admin, "gone")
    assert looking.of("E1").requests == ()
    rig.work()
    assert awx_target.writes() == []


def test_in_mode_observe_the_plan_says_what_enforce_would_send(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(options={"awx": {"mode": "observe"}})
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    plan = planner(rig).of("E1")
    assert plan.verdict is Verdict.OBSERVE
    assert [dict(request.body) for request in plan.requests] == [{"first_name": "Annika"}]
    assert "mode" in plan.reasons[0].text
    assert awx_target.writes() == []


def test_what_stands_in_the_way_is_said(rig: Rig, planner: Callable[[Rig], Planner]) -> None:
    rig.say("E1", ANNA)
    rig.work()
    rig.say("E1", {"given_name": "Annika"})
    rig.fold()
    looking = planner(rig)
    with rig.runtime.store.begin() as tx:
        (target,) = tx.targets.all()
        tx.targets.pause(target.id, "maintenance", "operator:bert", None)
        tx.targets.close_gate(target.id, tx.now + 60)
        tx.targets.announce(target.id, "another", None)
    plan = looking.of("E1")
    said = " ".join(why.text for why in plan.reasons)
    assert (plan.verdict, len(plan.requests)) == (Verdict.LATER, 1)
    assert all(word in said for word in ("paused: maintenance", "asked us to wait", "another configuration"))


def test_nothing_to_send_says_why(make_rig: MakeRig, planner: Callable[[Rig], Planner]) -> None:
    rig = make_rig(options={"awx": {"scope": "department != 'Care'"}})
    rig.say("E1", {**ANNA, "department": "Sales"})
    rig.say("E2", {"user_name": "nobody.here", "department": "Care"})
    rig.say("E3", {"department": "Sales"})
    rig.work()
    looking = planner(rig)
    right, outside, nameless = (looking.of(subject) for subject in ("E1", "E2", "E3"))
    assert (right.verdict, outside.verdict, nameless.verdict) == (
        Verdict.RIGHT,
        Verdict.NOTHING,
        Verdict.NOTHING,
    )
    assert "as wanted" in right.reasons[0].text
    assert "scope" in outside.reasons[0].text
    assert "never said" in nameless.reasons[0].text


def test_somebody_new_would_be_searched_and_with_reading_is(
    rig: Rig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    looking = planner(rig)
    blind = looking.of("E1")
    assert (blind.verdict, blind.requests) == (Verdict.SEARCH, ())
    assert "username = anna.berg" in blind.reasons[0].text
    assert awx_target.log() == []
    stored = rows(rig)
    plan = looking.of("E1", reads=True)
    assert {entry["method"] for entry in awx_target.log()} == {"GET"}
    assert rows(rig) == stored
    rig.work()
    assert foretold(plan.requests) == seen(awx_target, 0) != []


def test_reading_shows_what_was_changed_at_the_target(
    rig: Rig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    rig.work()
    awx_target.reset()
    with rig.runtime.store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, tx.now)
    looking = planner(rig)
    assert looking.of("E1").verdict is Verdict.RIGHT
    plan = looking.of("E1", reads=True)
    rig.work()
    assert foretold(plan.requests) == seen(awx_target, 0) != []


def test_the_owner_of_our_token_is_protected_in_a_plan_that_reads(
    rig: Rig, planner: Callable[[Rig], Planner]
) -> None:
    rig.say("E9", {"user_name": "admin", "given_name": "Other", "family_name": "Name"})
    plan = planner(rig).of("E9", reads=True)
    rig.work()
    assert plan.requests == ()
    assert _reasons(plan.account) == _reasons(rig.account("E9", "awx"))


def test_a_target_that_does_not_answer_is_said(
    rig: Rig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig.say("E1", ANNA)
    looking = planner(rig)
    awx_target.faults([fault("status", None, "GET", status=500)])
    unread = looking.of("E1", reads=True)
    assert (unread.requests, unread.unanswered) == ((), True)
    assert any("not read: the connection check failed" in why.text for why in unread.reasons)
    planning = looking.planning(reads=True)
    awx_target.clear_faults()
    planning.of_person("E1")
    awx_target.faults([fault("status", None, "GET", status=500)])
    (plan,) = planning.of_person("E1").accounts
    assert (plan.requests, plan.unanswered) == ((), True)
    assert any("reading failed: ambiguous" in why.text for why in plan.reasons)


def test_a_creation_is_planned_after_a_search_that_found_nobody(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(options={"awx": {"on_missing": "create"}})
    rig.say("E5", {**ANNA, "user_name": "nadia", "email": "nadia@example.com"})
    (request,) = planner(rig).of("E5", reads=True).requests
    assert awx_target.writes() == []
    rig.work()
    (sent,) = awx_target.writes()
    assert (request.method, request.exact) == ("POST", False)
    assert dict(request.body) == {name: sent["body"][name] for name in sent["body"] if name != "password"}


def test_the_last_superuser_is_asked_for_in_a_plan_that_reads(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    root = {**DEFAULT_USERS[1], "is_superuser": True}
    awx_target.reset(users=[{**DEFAULT_USERS[0], "is_superuser": False}, root])
    rig = make_rig(options={"awx": ADMIN})
    rig.say("E1", {**ANNA, "custom": {"admin": True}})
    rig.work()
    rig.say("E1", {"custom": {"admin": False}})
    looking = planner(rig)
    blind, plan = looking.of("E1"), looking.of("E1", reads=True)
    assert len(blind.requests) == 1
    assert "another superuser" in blind.reasons[0].text
    rig.work()
    assert plan.requests == ()
    assert _reasons(plan.account) == _reasons(rig.account("E1", "awx")) == {"is_superuser": Reason.PROTECTED}


def test_a_request_in_doubt_is_read_up_on_first(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(engine={"late_effect_s": 60})
    rig.say("E1", ANNA)
    rig.work()
    awx_target.faults([fault("drop_before")])
    rig.say("E1", {"given_name": "Annika"})
    rig.fold()
    rig.sync()
    plan = planner(rig).of("E1")
    assert (plan.verdict, plan.requests) == (Verdict.READ, ())
    assert "what became of the last request" in plan.reasons[0].text


def test_a_value_that_is_masked_is_not_shown(make_rig: MakeRig, planner: Callable[[Rig], Planner]) -> None:
    rig = make_rig(audit={"masked": ["email"]})
    rig.say("E1", ANNA)
    rig.work()
    rig.say("E1", {"email": "secret@example.com"})
    looking = planner(rig)
    plan = looking.of("E1")
    assert [dict(request.body) for request in plan.requests] == [{"email": "(masked)"}]
    assert "secret@" not in f"{plan.requests} {plan.reasons} {looking.story('E1').fields}"


def test_a_story_says_for_each_field_who_said_what_and_where_it_is(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    rig = make_rig(database=database_url)
    rig.say("E1", {**ANNA, "given_name": "Annika", "email": "no address"})
    rig.work()
    rig.say("E1", {"family_name": "Stone"})
    story = planner(rig).story("E1")
    fields = {one.name: one for one in story.fields}
    assert {name: one.state.value for name, one in fields.items()} == {
        "email": "held",
        "first_name": "there",
        "last_name": "pending",
        "username": "there",
    }
    first, last = fields["first_name"], fields["last_name"]
    assert (first.desired, first.observed, first.expression) == ("Annika", "Annika", "given_name")
    assert first.origin is not None
    assert first.origin.id == "e1"
    assert first.acknowledged is not None
    assert first.acknowledged.value == "Annika"
    assert first.last is not None
    assert first.last.answer is not None
    assert first.last.answer.facts["status"] == 200
    assert (last.desired, last.observed, last.last) == ("Stone", "Berg", None)
    assert [why.text for why in last.why][:1] == ["the next sync sends it"]
    assert fields["email"].hold is not None
    assert len(awx_target.writes()) == 1


def test_what_a_run_has_to_judge_first_is_shown_and_not_sent_before(
    make_rig: MakeRig, awx_target: ReferenceTarget, planner: Callable[[Rig], Planner]
) -> None:
    old = make_rig()
    old.say("E1", {**ANNA, "department": "Sales"})
    old.work()
    rig = make_rig(options={"awx": NAMES_BY_DEPARTMENT})
    with rig.runtime.store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, tx.now)
    plan = planner(rig).of("E1")
    assert (plan.verdict, len(plan.requests)) == (Verdict.LATER, 1)
    assert "has yet to judge the new configuration" in plan.reasons[0].text
    rig.work()
    assert awx_target.writes() == []
    carry_out(rig)
    assert foretold(plan.requests) == seen(awx_target, 0)
