"""Whose an account of a listing is: the same as a search for the person's account would end in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Match, Record
from tests.worker.domain.builders import NOW, PERSON, POLICY, RECORD, TIMING, UNLINKED
from worker.domain.account import Person
from worker.domain.answer import Moment
from worker.domain.enrol import Candidate, Judged, Verdict, judged
from worker.domain.link import absorb_found, contested

NAMES = st.sampled_from(["mira", "nadia", "zora"])
MINE = Candidate(1, "E1", PERSON)


def texts(name: str, first: str, mail: str) -> dict[str, str]:
    return {"username": name, "first_name": first, "email": mail}


@st.composite
def people(draw: st.DrawFn) -> Person:
    name, former = draw(NAMES), draw(st.lists(NAMES, max_size=2))
    wanted = {**texts(name, draw(NAMES), draw(NAMES)), "type": draw(NAMES)}
    return replace(PERSON, wanted=wanted, correlation=tuple(dict.fromkeys([name, *former])))


@st.composite
def records(draw: st.DrawFn) -> Record:
    return {**RECORD, **texts(draw(NAMES), draw(NAMES), draw(NAMES))}


def judge(record: Record, *candidates: Candidate) -> list[tuple[Verdict, int | None]]:
    found = judged("7", record, candidates, POLICY)
    return [(one.verdict, None if one.candidate is None else one.candidate.row) for one in found]


@given(records(), st.lists(people(), max_size=4))
def test_a_link_is_proposed_exactly_where_a_search_would_link(record: Record, crowd: list[Person]) -> None:
    candidates = [Candidate(row, f"E{row}", person) for row, person in enumerate(crowd)]
    proposed = {row for verdict, row in judge(record, *candidates) if verdict is Verdict.LINK}
    searched = {one.row for one in candidates if _search_links(record, one, candidates)}
    assert proposed == searched


def _search_links(record: Record, one: Candidate, everybody: list[Candidate]) -> bool:
    """Whether a search for the person that finds this account alone links it."""
    if record["username"] not in one.person.correlation:
        return False  # a search does not find it
    match = Match("7", record, ("username",))
    rivals = {other.subject: other.person for other in everybody if other is not one}
    at = Moment(NOW, 0.5, TIMING)
    others = contested([match], one.person, rivals, POLICY)
    return absorb_found(UNLINKED, (match,), (), one.person, POLICY, at, others).account.remote_id == "7"


@given(records(), st.lists(people(), max_size=4))
def test_whose_an_account_is_does_not_depend_on_who_is_looked_at_first(
    record: Record, crowd: list[Person]
) -> None:
    candidates = [Candidate(row, f"E{row}", person) for row, person in enumerate(crowd)]
    backwards = judge(record, *reversed(candidates))
    assert sorted(judge(record, *candidates), key=str) == sorted(backwards, key=str)


def test_nobody_is_a_stranger_and_a_name_alone_is_weak() -> None:
    assert judge(RECORD) == [(Verdict.STRANGER, None)]
    alone = replace(PERSON, wanted={"username": "mira"})
    assert judge(RECORD, replace(MINE, person=alone)) == [(Verdict.WEAK, 1)]


def test_what_agrees_is_told() -> None:
    assert judged("7", RECORD, [MINE], POLICY) == (
        Judged(Verdict.LINK, MINE, ("username", "first_name", "email"), named=True),
    )


def test_protected_accounts_are_nobodys() -> None:
    by_name = replace(POLICY, protected_names=frozenset({"MIRA"}))
    by_id = replace(POLICY, protected_ids=frozenset({"7"}))
    for policy in (by_name, by_id):
        assert [one.verdict for one in judged("7", RECORD, [MINE], policy)] == [Verdict.PROTECTED]


def test_whose_link_was_taken_away_competes_and_is_left_alone() -> None:
    taken = replace(MINE, unlinked=True)
    other = Candidate(2, "E2", replace(PERSON, wanted={"username": "mira"}))
    assert judge(RECORD, taken, other) == [(Verdict.UNLINKED, 1)]


def test_who_does_not_belong_there_is_outside() -> None:
    for person in (replace(PERSON, in_scope=False), replace(PERSON, waits=True)):
        assert judge(RECORD, replace(MINE, person=person)) == [(Verdict.OUTSIDE, 1)]


def test_who_is_linked_elsewhere_is_no_rival() -> None:
    linked = Candidate(2, "E2", PERSON, linked_to="9")
    assert judge(RECORD, MINE, linked) == [(Verdict.LINK, 1)]
    assert judge(RECORD, linked) == [(Verdict.AMBIGUOUS, 2)]
