"""Planning: which request comes next, and which never leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sdk.model import Json
from tests.worker.domain.builders import (
    LINKED,
    NOW,
    PERSON,
    POLICY,
    RECORD,
    TIMING,
    UNLINKED,
    doubting,
    holding,
    showing,
    step_of,
    wanting,
)
from worker.domain.account import ACCOUNT, LEAVER, SCOPE, Account, Hold, Ignored, Reason
from worker.domain.plan import Done, Fetch, Find, Later, Patch, decide
from worker.domain.policy import Policy
from worker.domain.strict_json import digest

ALLOWING = replace(POLICY, privileged={"groups": "allow", "is_staff": "allow", "type": "allow"})
OBSERVING = replace(POLICY, observe_only=True)
OUTSIDE = replace(PERSON, in_scope=False)


def test_nothing_is_sent_when_observed_equals_wanted() -> None:
    assert step_of(LINKED).step == Done()


def test_only_fields_that_differ_are_sent() -> None:
    assert step_of(LINKED, wanting(email="new@example.com")).step == Patch(
        {"email": "new@example.com"}, revocation=False
    )


def test_an_account_without_a_link_is_searched_for() -> None:
    assert step_of(UNLINKED).step == Find()


@pytest.mark.parametrize(
    "account",
    [replace(LINKED, observed=None), replace(LINKED, must_read=True), doubting(email="new@example.com")],
)
def test_an_account_that_is_not_known_for_sure_is_read_first(account: Account) -> None:
    assert step_of(account).step == Fetch()


def test_an_account_in_doubt_is_marked_so_that_a_failing_read_does_not_end_the_doubt() -> None:
    assert step_of(doubting(email="new@example.com")).account.must_read


def test_an_account_observed_long_ago_is_read_before_something_is_sent() -> None:
    late = NOW + TIMING.observe_max_age_s + 1
    assert step_of(LINKED, wanting(email="b"), now=late).step == Fetch()
    assert step_of(LINKED, now=late).step == Done()
    assert isinstance(step_of(LINKED, wanting(email="b"), now=late - 1).step, Patch)


def test_a_container_that_is_replaced_whole_is_read_since_the_claim() -> None:
    person, claimed_at = wanting(groups=[1]), NOW + 1
    assert decide(LINKED, person, POLICY, TIMING, NOW + 2, claimed_at).step == Fetch()
    read = replace(LINKED, observed_at=claimed_at)
    assert decide(read, person, POLICY, TIMING, NOW + 2, claimed_at).step == Patch(
        {"groups": [1]}, revocation=True
    )
    assert decide(LINKED, wanting(email="b"), POLICY, TIMING, NOW + 2, claimed_at).step == Patch(
        {"email": "b"}, revocation=False
    )


def test_to_deactivate_is_the_first_request_and_alone() -> None:
    person = wanting(is_active=False, email="b", first_name="M")
    assert step_of(LINKED, person).step == Patch({"is_active": False}, revocation=True)
    gone = showing(is_active=False)
    assert step_of(gone, person).step == Patch({"email": "b", "first_name": "M"}, revocation=False)


def test_to_deactivate_does_not_even_wait_for_other_revocations() -> None:
    person = wanting(is_active=False, groups=[1], is_staff=False)
    assert step_of(showing(is_staff=True), person).step == Patch({"is_active": False}, revocation=True)


def test_no_hold_of_another_field_keeps_a_deactivation_back() -> None:
    held = holding(LINKED, email="bad", first_name="M")
    person = wanting(is_active=False, email="bad", first_name="M")
    assert step_of(held, person).step == Patch({"is_active": False}, revocation=True)


def test_removals_of_rights_go_before_everything_that_is_no_revocation() -> None:
    person = wanting(groups=[2], is_staff=False, email="b")
    assert step_of(showing(is_staff=True), person).step == Patch(
        {"groups": [2], "is_staff": False}, revocation=True
    )


@pytest.mark.parametrize(("rule", "reason"), [("deny", Reason.PRIVILEGED), ("approve", Reason.APPROVAL)])
def test_a_denied_grant_is_held_while_the_same_persons_name_goes_through(rule: str, reason: Reason) -> None:
    policy = replace(POLICY, privileged={"is_staff": rule})
    decision = step_of(LINKED, wanting(is_staff=True, first_name="Mia"), policy)
    assert decision.step == Patch({"first_name": "Mia"}, revocation=False)
    assert decision.account.held["is_staff"].reason is reason


def test_a_grant_is_judged_anew_when_the_policy_allows_it() -> None:
    denied = step_of(LINKED, wanting(is_staff=True)).account
    assert step_of(denied, wanting(is_staff=True), ALLOWING).step == Patch(
        {"is_staff": True}, revocation=False
    )


def test_of_a_set_the_removal_is_sent_first_and_the_addition_only_where_it_is_allowed() -> None:
    person = wanting(groups=[2, 3])
    assert step_of(LINKED, person).step == Patch({"groups": [2]}, revocation=True)
    assert step_of(showing(groups=[2]), person).step == Done()
    assert step_of(showing(groups=[2]), person, ALLOWING).step == Patch({"groups": [2, 3]}, revocation=False)


@pytest.mark.parametrize("reason", [Reason.REJECTED, Reason.BRAKE, Reason.IGNORED, Reason.FAULT])
@pytest.mark.parametrize("policy", [POLICY, ALLOWING])
def test_the_removal_from_a_set_that_was_refused_is_not_sent_again(reason: Reason, policy: Policy) -> None:
    held = holding(LINKED, reason, groups=[2])
    decision = step_of(held, wanting(groups=[2, 3]), policy)
    assert decision.step == Done()
    assert decision.account.held["groups"].reason is reason


@pytest.mark.parametrize(
    "reason", [Reason.REJECTED, Reason.UNIQUE, Reason.IGNORED, Reason.FAULT, Reason.BRAKE]
)
def test_a_held_value_is_not_sent_again_and_new_data_releases_it(reason: Reason) -> None:
    held = holding(LINKED, reason, email="bad")
    again = step_of(held, wanting(email="bad", first_name="Mia"))
    assert again.step == Patch({"first_name": "Mia"}, revocation=False)
    assert "email" in again.account.held
    fresh = step_of(held, wanting(email="good@example.com"))
    assert fresh.step == Patch({"email": "good@example.com"}, revocation=False)
    assert "email" not in fresh.account.held


def test_a_hold_ends_when_the_target_shows_the_value_or_hr_wants_none() -> None:
    assert step_of(holding(showing(email="bad"), email="bad"), wanting(email="bad")).account.held == {}
    silent = replace(PERSON, wanted={"username": "mira"})
    assert step_of(holding(LINKED, email="bad"), silent).account.held == {}


def test_a_value_that_may_not_be_sent_holds_its_field_until_there_is_another() -> None:
    problem = Hold(Reason.VALUE, "too long", digest("long"), NOW)
    bad = replace(PERSON, wanted={"first_name": "Mia"}, problems={"email": problem})
    held = step_of(LINKED, bad)
    assert (held.step, held.account.held) == (
        Patch({"first_name": "Mia"}, revocation=False),
        {"email": problem},
    )
    worse = replace(bad, problems={"email": replace(problem, value_hash=digest("longer"), since=NOW + 5)})
    assert step_of(held.account, worse).account.held == worse.problems
    assert step_of(held.account, replace(bad, problems={}, wanted={})).account.held == {}


@pytest.mark.parametrize("reason", [Reason.VALUE, Reason.MAPPING])
def test_a_value_that_a_new_version_may_send_is_sent(reason: Reason) -> None:
    decision = step_of(holding(LINKED, reason, email="same"), wanting(email="same"))
    assert decision.step == Patch({"email": "same"}, revocation=False)
    assert decision.account.held == {}


def test_a_protected_account_is_held_and_released_when_the_protection_ends() -> None:
    guarded = replace(POLICY, protected_names=frozenset({"mira"}))
    decision = step_of(LINKED, wanting(is_active=False), guarded)
    assert (decision.step, decision.account.held[ACCOUNT].reason) == (Done(), Reason.PROTECTED)
    freed = step_of(decision.account, wanting(is_active=False))
    assert freed.account.held == {}
    assert isinstance(freed.step, Patch)


def test_observe_mode_plans_and_sends_nothing() -> None:
    decision = step_of(LINKED, wanting(is_active=False, email="b", is_staff=True), OBSERVING)
    assert decision.step == Done(planned={"is_active": False, "email": "b"})
    assert step_of(LINKED, PERSON, OBSERVING).step == Done()


@pytest.mark.parametrize("policy", [replace(POLICY, leaver="hold"), replace(POLICY, active_field=None)])
def test_a_leaver_who_cannot_or_may_not_be_deactivated_is_held_with_the_reason(policy: Policy) -> None:
    left = replace(wanting(email="b", is_active=False), leaver=True)
    if policy.active_field is None:
        left = replace(left, wanted={"email": "b"})
    decision = step_of(LINKED, left, policy)
    assert decision.step == Patch({"email": "b"}, revocation=False)
    hold = decision.account.held[LEAVER]
    assert hold.reason is Reason.LEAVER
    assert ("no way to deactivate" if policy.active_field is None else 'leaver = "hold"') in hold.message
    assert LEAVER not in step_of(decision.account, PERSON, policy).account.held


def test_a_held_leaver_is_deactivated_when_the_configuration_changes_its_mind() -> None:
    left = replace(wanting(is_active=False), leaver=True)
    held = step_of(LINKED, left, replace(POLICY, leaver="hold")).account
    decision = step_of(held, left)
    assert (decision.step, decision.account.held) == (Patch({"is_active": False}, revocation=True), {})


def test_who_leaves_the_scope_is_left_alone_held_or_treated_as_a_leaver() -> None:
    nothing = step_of(LINKED, OUTSIDE, replace(POLICY, on_leave_scope="nothing"))
    assert (nothing.step, nothing.account.held) == (Done(), {})
    held = step_of(LINKED, OUTSIDE, replace(POLICY, on_leave_scope="hold"))
    assert (held.step, held.account.held[SCOPE].reason) == (Done(), Reason.SCOPE)
    leaver = step_of(held.account, OUTSIDE, replace(POLICY, on_leave_scope="leaver"))
    assert (leaver.step, leaver.account.held) == (Patch({"is_active": False}, revocation=True), {})
    assert step_of(held.account, PERSON).account.held == {}


def test_who_was_never_in_scope_and_has_no_account_is_nobodys_business() -> None:
    for on_leave_scope in ("hold", "nothing"):
        decision = step_of(UNLINKED, OUTSIDE, replace(POLICY, on_leave_scope=on_leave_scope))
        assert (decision.step, decision.account.held) == (Done(), {})


def test_a_scope_without_an_answer_never_makes_a_leaver() -> None:
    unknown = replace(OUTSIDE, scope_known=False)
    decision = step_of(LINKED, unknown, replace(POLICY, on_leave_scope="leaver"))
    assert (decision.step, decision.account.held[SCOPE].reason) == (Done(), Reason.SCOPE)


def test_who_left_the_scope_of_a_target_that_owns_no_active_field_is_held_as_a_leaver() -> None:
    fields = {name: spec for name, spec in POLICY.fields.items() if name != "is_active"}
    policy = replace(POLICY, fields=fields, on_leave_scope="leaver", leaver="hold")
    person = replace(OUTSIDE, wanted={"email": RECORD["email"]})
    decision = step_of(LINKED, person, policy)
    assert (decision.step, decision.account.held[LEAVER].reason) == (Done(), Reason.LEAVER)


def test_a_braked_deactivation_by_scope_stays_held() -> None:
    """Otherwise the sync that holds it would be told to send it again, for ever."""
    policy = replace(POLICY, on_leave_scope="leaver")
    decision = step_of(holding(LINKED, Reason.BRAKE, is_active=False), OUTSIDE, policy)
    assert (decision.step, set(decision.account.held)) == (Done(), {"is_active"})


def test_what_a_target_demands_goes_along_as_it_was_read() -> None:
    policy = replace(POLICY, always_send=("username", "email"))
    assert step_of(LINKED, wanting(email="b"), policy).step == Patch(
        {"username": "mira", "email": "b"}, revocation=False
    )
    assert step_of(LINKED, PERSON, policy).step == Done()


def test_what_was_never_read_does_not_go_along() -> None:
    policy = replace(POLICY, always_send=("first_name", "password"))
    observed: dict[str, Json] = {name: value for name, value in RECORD.items() if name != "first_name"}
    person = replace(PERSON, wanted={"email": "b"})
    step = step_of(replace(LINKED, observed={**observed, "password": "x"}), person, policy).step
    assert step == Patch({"email": "b"}, revocation=False)


def test_an_ignored_field_is_read_after_2_s_and_10_s_and_then_held() -> None:
    person = wanting(email="b")
    account = replace(LINKED, ignored={"email": Ignored(digest("b"))})
    for wait in (2, 10):
        decision = step_of(account, person)
        assert decision.step == Later(NOW + wait)
        assert step_of(decision.account, person).step == Fetch()
        account = decision.account.saw(RECORD, NOW)
    decision = step_of(account, person)
    assert (decision.step, decision.account.ignored) == (Done(), {})
    assert decision.account.held["email"].reason is Reason.IGNORED
    assert "ignored by the target" in decision.account.held["email"].message


def test_an_ignored_field_that_shows_its_value_after_all_is_done() -> None:
    account = replace(showing(email="b"), ignored={"email": Ignored(digest("b"), 1)})
    decision = step_of(account, wanting(email="b"))
    assert (decision.step, decision.account.ignored) == (Done(), {})


def test_an_ignored_field_does_not_keep_the_others_or_its_own_new_value_back() -> None:
    account = replace(LINKED, ignored={"email": Ignored(digest("b"))})
    assert step_of(account, wanting(email="b", first_name="M")).step == Patch(
        {"first_name": "M"}, revocation=False
    )
    assert step_of(account, wanting(email="c")).step == Patch({"email": "c"}, revocation=False)


def test_a_revocation_is_read_once_more_when_its_time_comes() -> None:
    revoked = replace(showing(is_active=False), recheck_at=NOW + 60)
    person = wanting(is_active=False)
    assert step_of(revoked, person, now=NOW + 59).step == Done()
    decision = step_of(revoked, person, now=NOW + 60)
    assert (decision.step, decision.account.recheck_at) == (Fetch(), None)


@pytest.mark.parametrize("account", [LINKED, UNLINKED])
@pytest.mark.parametrize("policy", [POLICY, replace(POLICY, protected_ids=frozenset({"7"}))])
def test_a_recheck_that_cannot_be_made_does_not_stay_due(account: Account, policy: Policy) -> None:
    overdue = replace(account, recheck_at=NOW - 1)
    for person in (PERSON, OUTSIDE, replace(PERSON, correlation=())):
        assert step_of(overdue, person, policy).account.recheck_at is None


def test_an_account_with_nothing_left_to_do_forgets_its_failures() -> None:
    tired = replace(LINKED, level=5, attempts=3, failure="conflict:409")
    rested = step_of(tired).account
    assert (rested.level, rested.attempts, rested.failure) == (0, 0, "")
