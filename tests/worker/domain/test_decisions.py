"""Decisions are taken in once, in their order; and an approval fits one change only."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from tests.worker.domain.builders import LINKED, NOW, PERSON, POLICY, RECORD, TIMING, wanting
from worker.domain.account import LEAVER, QUIET, Account, Approval, Hold, Reason
from worker.domain.decisions import Decided, Kind, Word, heed, held_binds, passes_brake, question
from worker.domain.last_superuser import keep_last, takes_away
from worker.domain.plan import Census, Decision, Delete, Demote, Done, Patch, decide
from worker.domain.strict_json import digest

ASKING = replace(POLICY, privileged={"is_staff": "approve", "groups": "approve", "type": "approve"})
DELETING = replace(POLICY, leaver="delete", active_field=None)
HOLD = Hold(Reason.REJECTED, "no", digest("x"), NOW)
NAMES = ("email", "is_staff", LEAVER)
BINDS = (held_binds(digest("x")), held_binds(digest("y")), "grant:1", "brake:1")

decided = st.builds(
    Decided,
    st.integers(1, 50),
    st.sampled_from(NAMES),
    st.sampled_from(Word),
    st.sampled_from(BINDS),
    st.just("operator:a"),
    st.sampled_from([None, NOW - 1, NOW + 1]),
)
many = st.lists(decided, max_size=6, unique_by=lambda one: one.id)
members = st.lists(st.integers(1, 5), unique=True).map(sorted)
holding = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([HOLD]), max_size=3)


def step(account: Account, **values: Json) -> Decision:
    return decide(account, wanting(**values), ASKING, TIMING, NOW, NOW - 1)


def approved(name: str, binds: str, until: float = NOW + 1) -> dict[str, Approval]:
    return {name: Approval(1, binds, until, "operator:a")}


@given(many, holding)
def test_decisions_are_heeded_once_and_in_the_order_of_their_ids(
    said: list[Decided], held: dict[str, Hold]
) -> None:
    account = replace(LINKED, held=held)
    whole = heed(account, said, NOW)
    one_by_one = account
    for one in sorted(said, key=lambda item: item.id):
        one_by_one = heed(one_by_one, [one], NOW)
    assert whole == one_by_one == heed(whole, said, NOW)
    assert whole.heeded == max([0, *(one.id for one in said)])


@given(many, holding)
def test_no_decision_holds_what_was_neither_held_nor_approved(
    said: list[Decided], held: dict[str, Hold]
) -> None:
    after = heed(replace(LINKED, held=held), said, NOW)
    assert {name for name, hold in after.held.items() if hold.reason not in QUIET} <= held.keys()
    assert all(given.until > NOW for given in after.approvals.values())


@given(members, members, members, members)
def test_an_approval_of_groups_fits_the_same_additions_only(
    before: list[int], after: list[int], later_before: list[int], later_after: list[int]
) -> None:
    then = replace(LINKED, observed={**RECORD, "groups": [*before]})
    held = step(then, groups=[*after]).account
    if "groups" not in held.held:
        return
    asked = question("groups", held.held["groups"], then, wanting(groups=[*after]), ASKING)
    assert asked is not None
    now = replace(
        LINKED, observed={**RECORD, "groups": [*later_before]}, approvals=approved("groups", asked.binds)
    )
    decision = step(now, groups=[*later_after])
    sent = decision.step.changes.get("groups") if isinstance(decision.step, Patch) else None
    granted = set(sent) - set(later_before) if isinstance(sent, list) else set()
    same = set(later_after) - set(later_before) == set(after) - set(before)
    assert granted == (set(later_after) - set(later_before) if same and sent == later_after else set())
    assert same or not granted


def test_an_approval_is_for_before_and_after_and_until_its_end() -> None:
    held = step(LINKED, type="internal").account
    asked = question("type", held.held["type"], held, wanting(type="internal"), ASKING)
    assert asked is not None
    given = approved("type", asked.binds)
    assert isinstance(step(replace(LINKED, approvals=given), type="internal").step, Patch)
    other_before = replace(LINKED, observed={**RECORD, "type": "other"}, approvals=given)
    for account in (
        other_before,
        replace(LINKED, approvals=approved("type", asked.binds, until=NOW)),
        replace(LINKED, approvals=approved("is_staff", asked.binds)),
    ):
        decision = step(account, type="internal")
        assert isinstance(decision.step, Done)
        assert decision.account.approvals == {}
    of_the_brake = replace(LINKED, approvals=approved("type", asked.binds.replace("grant", "brake")))
    assert isinstance(step(of_the_brake, type="internal").step, Done)


def test_a_policy_that_denies_is_not_moved_by_an_approval() -> None:
    held = step(LINKED, is_staff=True).account
    asked = question("is_staff", held.held["is_staff"], held, wanting(is_staff=True), ASKING)
    assert asked is not None
    account = replace(LINKED, approvals=approved("is_staff", asked.binds))
    decision = decide(account, wanting(is_staff=True), POLICY, TIMING, NOW, NOW - 1)
    assert isinstance(decision.step, Done)
    assert decision.account.held["is_staff"].reason is Reason.PRIVILEGED


def test_nothing_is_deleted_but_the_account_that_was_approved() -> None:
    leaver = replace(PERSON, leaver=True)

    def ends(account: Account) -> Decision:
        return decide(account, leaver, DELETING, TIMING, NOW, NOW - 1)

    held = ends(LINKED).account
    asked = question(LEAVER, held.held[LEAVER], held, leaver, DELETING)
    assert asked is not None
    given = approved(LEAVER, asked.binds)
    assert isinstance(ends(replace(LINKED, approvals=given)).step, Delete)
    renamed = {**RECORD, "username": "somebody"}
    assert isinstance(ends(replace(LINKED, remote_id="8", approvals=given)).step, Done)
    assert not isinstance(ends(replace(LINKED, observed=renamed, approvals=given)).step, Delete)


def test_only_an_approval_of_the_brake_passes_it() -> None:
    account = replace(LINKED, approvals={**approved("a", "brake:1"), **approved("b", "grant:1")})
    assert passes_brake(account, ["a"])
    assert not passes_brake(account, ["a", "b"])
    assert not passes_brake(account, [])
    assert Kind.BRAKE.value == "brake"


def test_the_last_superuser_is_asked_about_before_anything_takes_one_away() -> None:
    policy = replace(POLICY, superuser_field="is_staff", superuser_through=frozenset({"groups"}))
    boss = replace(LINKED, observed={**RECORD, "is_staff": True})
    takes = [
        Patch({"is_staff": False}, revocation=True),
        Patch({"is_active": False}, revocation=True),
        Patch({"groups": []}, revocation=True),
        Demote(),
        Delete(),
    ]
    for send in takes:
        assert takes_away(send, policy)
        assert isinstance(keep_last(Decision(boss, send), policy, None, NOW).step, Census)
        assert keep_last(Decision(boss, send), policy, others=True, now=NOW).step is send
        kept = keep_last(Decision(boss, send), policy, others=False, now=NOW)
        assert {hold.reason for hold in kept.account.held.values()} == {Reason.PROTECTED}
        assert keep_last(Decision(LINKED, send), policy, None, NOW).step is send  # is none
    harmless = Patch({"first_name": "M"}, revocation=False)
    assert keep_last(Decision(boss, harmless), policy, None, NOW).step is harmless
