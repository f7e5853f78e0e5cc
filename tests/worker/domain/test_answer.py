"""What each answer does to an account: one test or more for each row of the table in DESIGN section 3."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sdk.model import Json, Match, OutcomeKind, Rejection
from tests.worker.domain.builders import (
    LINKED,
    NOW,
    PERSON,
    POLICY,
    RECORD,
    TIMING,
    doubting,
    holding,
    moment,
    outcome,
    step_of,
    wanting,
)
from worker.domain.account import Account, Ignored, Reason
from worker.domain.answer import Absorbed, Blame, Continue, Wait, absorb, shows
from worker.domain.link import absorb_found
from worker.domain.plan import Done, Fetch, Find, Patch
from worker.domain.policy import Policy
from worker.domain.strict_json import digest

K = OutcomeKind
TIRED = replace(LINKED, level=3, attempts=2, failure="ambiguous:500")


def record(**values: Json) -> dict[str, Json]:
    return {**RECORD, **values}


def after(
    account: Account,
    kind: OutcomeKind,
    values: dict[str, Json] | None = None,
    *,
    status: int | None = 200,
    now: float = NOW,
    healthy: bool = False,
    policy: Policy = POLICY,
) -> Absorbed:
    return absorb(account, outcome(kind, values, status=status), policy, moment(now, healthy=healthy))


def waited(absorbed: Absorbed) -> float:
    assert isinstance(absorbed.follow, Wait)
    return absorbed.follow.due_at - NOW


# applied and observed


def test_applied_is_done_and_forgets_every_failure() -> None:
    sent = replace(doubting(email="b"), level=3, attempts=2, failure="ambiguous:500")
    absorbed = after(sent, K.APPLIED, record(email="b"))
    account = absorbed.account
    assert (account.doubt, account.level, account.attempts, account.failure) == (None, 0, 0, "")
    assert (account.observed, account.recheck_at) == (record(email="b"), None)
    assert (absorbed.follow, absorbed.blame) == (Continue(), Blame.NOBODY)
    assert step_of(account, wanting(email="b")).step == Done()


def test_an_applied_revocation_is_read_once_more_after_60_s() -> None:
    revoked = after(doubting(revocation=True, is_active=False), K.APPLIED, record(is_active=False)).account
    assert revoked.recheck_at == NOW + 60
    later = after(
        replace(revoked, doubt=doubting(email="b").doubt), K.APPLIED, record(is_active=False, email="b")
    )
    assert later.account.recheck_at == NOW + 60


def test_every_owned_field_of_every_answer_is_compared() -> None:
    drifted = after(doubting(email="b"), K.APPLIED, record(email="b", first_name="Drift")).account
    assert step_of(drifted, wanting(email="b")).step == Patch({"first_name": "Mira"}, revocation=False)


def test_a_read_without_a_doubt_gives_the_values_and_ends_failing_reads() -> None:
    absorbed = after(replace(TIRED, must_read=True), K.OBSERVED, record(email="b"))
    assert (absorbed.account.failure, absorbed.account.must_read) == ("", False)
    assert absorbed.account.observed == record(email="b")
    assert absorbed.follow == Continue()


# doubt


def test_a_doubtful_write_is_read_at_once() -> None:
    absorbed = after(doubting(email="b"), K.AMBIGUOUS, status=None)
    assert absorbed.follow == Continue()
    assert absorbed.account.doubt is not None
    assert step_of(absorbed.account, wanting(email="b")).step == Fetch()


def test_a_doubt_ends_when_the_read_shows_the_value() -> None:
    doubtful = after(doubting(email="b"), K.AMBIGUOUS, status=None).account
    absorbed = after(doubtful, K.OBSERVED, record(email=" b "))
    assert (absorbed.account.doubt, absorbed.account.attempts, absorbed.follow) == (None, 0, Continue())


def test_while_a_request_may_still_take_effect_nothing_is_sent() -> None:
    doubtful = after(doubting(email="b"), K.AMBIGUOUS, status=None).account
    absorbed = after(doubtful, K.OBSERVED, RECORD, now=NOW + 1)
    assert waited(absorbed) == TIMING.late_effect_s
    assert absorbed.account.doubt is not None
    assert step_of(absorbed.account, wanting(email="b"), now=NOW + 30).step == Fetch()


def test_a_late_effect_is_waited_for_from_the_unclear_answer_on_and_not_from_the_intent() -> None:
    sent_long_ago = doubting(at=NOW - 20, email="b")
    doubtful = after(sent_long_ago, K.AMBIGUOUS, status=None).account
    assert waited(after(doubtful, K.OBSERVED, RECORD, now=NOW + 1)) == TIMING.late_effect_s


def test_once_it_can_no_longer_take_effect_it_is_sent_again() -> None:
    doubtful = replace(doubting(email="b"), must_read=True)
    absorbed = after(doubtful, K.OBSERVED, RECORD, now=NOW + 30)
    assert absorbed.account.doubt is None
    assert isinstance(step_of(absorbed.account, wanting(email="b"), now=NOW + 30).step, Patch)


def test_writes_that_stay_doubtful_wait_longer_each_time() -> None:
    account = replace(doubting(email="b"), must_read=True)
    waits: list[float] = []
    for _ in range(9):
        absorbed = absorb(account, outcome(K.OBSERVED, RECORD), POLICY, replace(moment(NOW + 1), jitter=1.0))
        waits.append(waited(absorbed))
        account = replace(doubting(email="b"), must_read=True, level=absorbed.account.level)
    assert waits == [30, 30, 30, 40, 80, 160, 320, 640, 1280]


def test_a_doubtful_revocation_is_sent_again_at_once_and_read_again_after_the_late_effect() -> None:
    doubtful = after(doubting(revocation=True, is_active=False), K.AMBIGUOUS, status=500).account
    absorbed = after(doubtful, K.OBSERVED, RECORD, now=NOW + 1)
    assert (absorbed.follow, absorbed.account.doubt) == (Continue(), None)
    assert absorbed.account.recheck_at == NOW + TIMING.late_effect_s
    assert isinstance(step_of(absorbed.account, wanting(is_active=False), now=NOW + 1).step, Patch)


def test_a_revocation_that_stays_doubtful_is_not_sent_in_a_loop() -> None:
    account, statuses = LINKED, (500, 502, 504, 500, 502, 504)
    waits = 0
    for status in statuses:
        account = replace(account, doubt=doubting(revocation=True, is_active=False).doubt, must_read=False)
        account = after(account, K.AMBIGUOUS, status=status).account
        absorbed = after(account, K.OBSERVED, RECORD, now=NOW + 1)
        waits += isinstance(absorbed.follow, Wait)
        account = absorbed.account
    assert waits == len(statuses) - 1


@pytest.mark.parametrize(
    "kind", [K.AMBIGUOUS, K.THROTTLED, K.UNREACHABLE, K.FORBIDDEN, K.SUSPECT, K.REJECTED]
)
def test_a_read_that_fails_leaves_the_doubt_of_a_dead_worker(kind: OutcomeKind) -> None:
    asked = step_of(doubting(email="b")).account
    absorbed = after(asked, kind, status=None)
    assert absorbed.account.doubt == asked.doubt
    assert isinstance(absorbed.follow, Wait)
    assert step_of(absorbed.account).step == Fetch()


@pytest.mark.parametrize("kind", [K.CONFLICT, K.MISSING])
def test_a_read_that_finds_no_account_leaves_the_doubt_as_well(kind: OutcomeKind) -> None:
    asked = step_of(doubting(email="b")).account
    again = after(asked, kind, status=404).account
    assert again.doubt == asked.doubt
    linked = absorb_found(again, (Match("7", RECORD, ("username",)),), (), PERSON, POLICY, moment(NOW + 1))
    assert step_of(linked.account, wanting(email="b")).step == Fetch()


def test_a_doubt_about_a_field_that_is_no_longer_owned_ends_with_the_read() -> None:
    doubtful = replace(doubting(password="x", email="b"), must_read=True)
    assert after(doubtful, K.OBSERVED, record(email="b")).account.doubt is None
    assert not shows(POLICY, {"email": "b"}, RECORD)
    assert not shows(POLICY, {"email": "b"}, {})


def test_five_failures_alike_are_held_only_while_others_succeed() -> None:
    for healthy, expected in ((False, set()), (True, {"email"})):
        account = LINKED
        for _ in range(5):
            assert account.held == {}
            account = replace(account, doubt=doubting(email="b").doubt, must_read=False)
            account = after(account, K.AMBIGUOUS, status=500, healthy=healthy).account
        assert set(account.held) == expected
        assert account.must_read
        assert all(hold.reason is Reason.FAULT for hold in account.held.values())


def test_failures_that_are_not_alike_do_not_add_up() -> None:
    account = LINKED
    for status in (500, 500, 500, 500, 502, 500):
        account = replace(account, doubt=doubting(email="b").doubt, must_read=False)
        account = after(account, K.AMBIGUOUS, status=status, healthy=True).account
    assert account.held == {}


# not applied, unverified


def test_a_field_that_a_success_did_not_show_is_read_and_not_sent_again() -> None:
    absorbed = absorb(
        doubting(email="b", first_name="M"),
        outcome(K.NOT_APPLIED, record(first_name="M"), wrong=("email",)),
        POLICY,
        moment(),
    )
    assert absorbed.account.ignored == {"email": Ignored(digest("b"))}
    assert (absorbed.account.doubt, absorbed.account.must_read) == (None, False)
    assert absorbed.account.observed == record(first_name="M")


@pytest.mark.parametrize("wrong", [("email",), (), ("id",)])
def test_a_success_that_shows_nothing_is_read_back(wrong: tuple[str, ...]) -> None:
    answer = outcome(K.UNVERIFIED, status=204, wrong=wrong)
    account = absorb(doubting(email="b"), answer, POLICY, moment()).account
    assert step_of(account, wanting(email="b")).step == Fetch()
    assert account.ignored == {"email": Ignored(digest("b"))}
    shown = after(account, K.OBSERVED, record(email="b")).account
    assert step_of(shown, wanting(email="b")).account.ignored == {}


# rejected


def test_the_rejected_fields_are_held_and_the_rest_is_sent_once_more() -> None:
    answer = outcome(K.REJECTED, status=400, fields={"email": Rejection("Enter a valid address.")})
    absorbed = absorb(doubting(email="bad", first_name="Mia"), answer, POLICY, moment())
    hold = absorbed.account.held["email"]
    assert (hold.reason, hold.message, hold.value_hash) == (
        Reason.REJECTED,
        "Enter a valid address.",
        digest("bad"),
    )
    assert (absorbed.follow, absorbed.account.doubt) == (Continue(), None)
    person = wanting(email="bad", first_name="Mia")
    assert step_of(absorbed.account, person).step == Patch({"first_name": "Mia"}, revocation=False)


def test_a_unique_clash_is_held_as_one() -> None:
    answer = outcome(K.REJECTED, status=400, fields={"username": Rejection("taken", unique=True)})
    account = absorb(doubting(username="sam"), answer, POLICY, moment()).account
    assert account.held["username"].reason is Reason.UNIQUE


@pytest.mark.parametrize("fields", [{}, {"__all__": Rejection("The two do not go together.")}])
def test_a_rejection_that_names_nothing_sent_holds_all_that_was_sent(fields: dict[str, Rejection]) -> None:
    answer = outcome(K.REJECTED, status=422, fields=fields)
    account = absorb(doubting(email="b", first_name="M"), answer, POLICY, moment()).account
    assert set(account.held) == {"email", "first_name"}
    assert step_of(account, wanting(email="b", first_name="M")).step == Done()


def test_what_went_along_is_not_held_in_place_of_what_was_asked() -> None:
    policy = replace(POLICY, always_send=("username",))
    sent = doubting(username="mira", email="b")
    answer = outcome(K.REJECTED, status=400, fields={"username": Rejection("no")})
    account = absorb(sent, answer, policy, moment()).account
    assert set(account.held) == {"email"}


def test_a_search_that_is_rejected_backs_off() -> None:
    absorbed = after(replace(LINKED, remote_id=None), K.REJECTED, status=400)
    assert isinstance(absorbed.follow, Wait)
    assert absorbed.account.held == {}


# conflict, missing


def test_a_conflict_is_read_and_planned_again_three_times_and_then_backs_off() -> None:
    account, waits = LINKED, []
    for _ in range(5):
        account = replace(account, doubt=doubting(email="b").doubt)
        absorbed = after(account, K.CONFLICT, status=409)
        assert absorbed.account.doubt is None
        assert step_of(absorbed.account, wanting(email="b")).step == Fetch()
        waits.append(isinstance(absorbed.follow, Wait))
        account = after(absorbed.account, K.OBSERVED, RECORD).account
    assert waits == [False, False, False, True, True]
    assert account.level == 2


def test_a_missing_account_is_looked_for_again_and_never_called_deleted() -> None:
    absorbed = after(doubting(email="b"), K.MISSING, status=404)
    account = absorbed.account
    assert (account.remote_id, account.observed, account.doubt) == (None, None, None)
    assert (absorbed.follow, absorbed.blame) == (Continue(), Blame.ACCOUNT_GONE)
    assert step_of(account).step == Find()


def test_an_account_that_is_found_and_missing_in_turn_backs_off() -> None:
    account, waits = LINKED, []
    for _ in range(5):
        absorbed = after(replace(account, remote_id="7", must_read=False), K.MISSING, status=404)
        waits.append(isinstance(absorbed.follow, Wait))
        account = absorbed.account
    assert waits == [False, False, False, True, True]


# the target is to blame


def test_throttled_waits_as_long_as_it_was_told_and_consumes_no_attempt() -> None:
    absorbed = absorb(
        doubting(email="b"), outcome(K.THROTTLED, status=429, retry_after_s=90), POLICY, moment()
    )
    assert (waited(absorbed), absorbed.retry_after_s, absorbed.blame) == (90, 90, Blame.TARGET_BUSY)
    assert absorbed.account == LINKED


@pytest.mark.parametrize("told", [None, 0.0])
def test_throttled_without_a_time_still_waits(told: float | None) -> None:
    absorbed = absorb(LINKED, outcome(K.THROTTLED, status=429, retry_after_s=told), POLICY, moment())
    assert 0.5 <= waited(absorbed) <= 5
    assert absorbed.retry_after_s == waited(absorbed)


@pytest.mark.parametrize(
    ("kind", "blame", "attempts"),
    [
        (K.UNREACHABLE, Blame.TARGET_DOWN, 0),
        (K.FORBIDDEN, Blame.TARGET_REFUSES, 1),
        (K.SUSPECT, Blame.TARGET_SUSPECT, 0),
    ],
)
def test_an_answer_against_the_target_backs_the_account_off(
    kind: OutcomeKind, blame: Blame, attempts: int
) -> None:
    absorbed = after(doubting(email="b"), kind, status=None)
    assert (absorbed.blame, absorbed.account.attempts, absorbed.account.level) == (blame, attempts, 1)
    assert 0.5 <= waited(absorbed) <= 5


def test_what_was_provably_not_sent_leaves_no_doubt() -> None:
    assert after(doubting(email="b"), K.UNREACHABLE).account.doubt is None
    assert after(doubting(email="b"), K.FORBIDDEN).account.doubt is None


def test_a_suspect_answer_to_a_write_leaves_it_in_doubt() -> None:
    account = after(doubting(email="b"), K.SUSPECT, status=302).account
    assert account.doubt is not None
    assert step_of(account, wanting(email="b")).step == Fetch()
    assert not after(LINKED, K.SUSPECT, status=302).account.must_read


def test_the_back_off_grows_to_six_hours_even_while_reads_work() -> None:
    account, ceilings = LINKED, []
    for _ in range(15):
        sent = replace(account, doubt=doubting(email="b", at=NOW - 60).doubt, must_read=False)
        absorbed = absorb(sent, outcome(K.SUSPECT, status=302), POLICY, replace(moment(), jitter=1.0))
        ceilings.append(waited(absorbed))
        account = after(absorbed.account, K.OBSERVED, RECORD).account
    assert ceilings == [min(21_600, 5 * 2**level) for level in range(15)]


def test_what_is_held_stays_held_whatever_is_answered() -> None:
    for kind in OutcomeKind:
        held = holding(doubting(email="b"), first_name="M")
        assert "first_name" in after(held, kind, RECORD).account.held
