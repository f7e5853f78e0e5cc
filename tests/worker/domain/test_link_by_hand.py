"""What a link by hand forgets, and that nothing but an operator ends an unlink."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.worker.domain.builders import LINKED, NOW, PERSON, POLICY, RECORD, TIMING, wanting
from worker.domain.account import ACCOUNT, LEAVER, Approval, Hold, Ignored, Person, Reason
from worker.domain.decisions import Decided, Word, heed, held_binds
from worker.domain.link_by_hand import compared, linked, unlinked
from worker.domain.plan import Done, Fetch, Find, decide

KNOWN = replace(
    LINKED,
    demoted=True,
    ignored={"email": Ignored("hash")},
    approvals={"is_staff": Approval(3, "grant:1", NOW + 60, "operator:alice")},
    held={
        "username": Hold(Reason.UNIQUE, "taken", "hash", NOW),
        "email": Hold(Reason.DISCARDED, "not to be sent", "hash", NOW),
        LEAVER: Hold(Reason.DECLINED, "not to be deleted", "", NOW),
    },
    heeded=3,
)


def test_a_link_forgets_all_but_what_was_said_about_a_value() -> None:
    after = linked(KNOWN, "8", decided=5)
    assert (after.remote_id, after.observed, after.must_read, after.demoted) == ("8", None, True, False)
    assert (set(after.held), after.approvals, after.ignored, after.heeded) == ({"email"}, {}, {}, 5)


def test_what_is_linked_is_read_first() -> None:
    decision = decide(linked(KNOWN, "8", 0), PERSON, POLICY, TIMING, NOW, NOW)
    assert isinstance(decision.step, Fetch)


people = st.builds(
    Person,
    revision=st.integers(1, 9),
    in_scope=st.booleans(),
    leaver=st.booleans(),
    wanted=st.sampled_from([RECORD, {**RECORD, "is_active": False}]),
    problems=st.just({}),
    correlation=st.sampled_from([(), ("mira",), ("mirjam", "mira")]),
    origin=st.just({}),
)


@given(
    people,
    st.booleans(),
    st.sampled_from(["hold", "create", "ignore"]),
    st.sampled_from(["leaver", "hold", "nothing"]),
)
def test_no_data_and_no_read_that_is_asked_for_ends_an_unlink(
    person: Person, asked: bool, on_missing: str, on_leave_scope: str
) -> None:
    policy = replace(POLICY, on_missing=on_missing, on_leave_scope=on_leave_scope)
    account = replace(unlinked(KNOWN, "operator:bert", 0, NOW), must_read=asked)
    decision = decide(account, person, policy, TIMING, NOW + 9e6, NOW + 9e6)
    assert isinstance(decision.step, Done)
    assert decision.account.held[ACCOUNT].reason is Reason.UNLINKED


def test_a_retry_has_the_account_searched_for() -> None:
    account = unlinked(KNOWN, "operator:bert", 3, NOW)
    retry = Decided(4, ACCOUNT, Word.RETRY, held_binds(account.held[ACCOUNT].value_hash), "operator:bert")
    decision = decide(heed(account, [retry], NOW), PERSON, POLICY, TIMING, NOW, NOW)
    assert isinstance(decision.step, Find)


def test_fields_that_hr_speaks_of_are_compared() -> None:
    said = compared({**RECORD, "first_name": "Mirjam"}, wanting(), POLICY)
    assert "username" in said.agrees
    assert said.differs == {"first_name": "Mira"}
