"""Linking: user names are reused, so an account is taken over only on evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sdk.model import Json, Match
from tests.worker.domain.builders import FIELDS, NOW, PERSON, POLICY, RECORD, UNLINKED, moment, step_of
from worker.domain.account import ACCOUNT, Account, Person, Reason
from worker.domain.answer import Absorbed, Continue, End
from worker.domain.link import absorb_found, contested, evidence
from worker.domain.plan import Done, Find
from worker.domain.policy import Policy


def match(remote_id: str = "7", matched: tuple[str, ...] = ("username",), **values: Json) -> Match:
    return Match(remote_id, {**RECORD, **values}, matched)


def stranger(remote_id: str = "7") -> Match:
    """The same user name, and nothing else of the person."""
    return match(remote_id, first_name="Sam", email="sam@example.com", type="internal")


def found(
    *matches: Match,
    taken: tuple[str, ...] = (),
    person: Person = PERSON,
    policy: Policy = POLICY,
    account: Account = UNLINKED,
) -> Absorbed:
    return absorb_found(account, matches, taken, person, policy, moment())


def held(absorbed: Absorbed) -> Reason:
    assert absorbed.account.remote_id is None
    assert isinstance(step_of(absorbed.account).step, Done)
    return absorbed.account.held[ACCOUNT].reason


def test_one_match_with_two_agreeing_texts_is_linked_and_its_values_are_known() -> None:
    absorbed = found(match())
    assert absorbed.account.remote_id == "7"
    assert absorbed.account.observed == RECORD
    assert absorbed.account.observed_at == NOW
    assert isinstance(absorbed.follow, Continue)


def test_the_correlation_alone_is_not_enough() -> None:
    assert held(found(stranger())) is Reason.MATCHES


def test_an_immutable_key_alone_is_enough() -> None:
    policy = replace(POLICY, immutable_key="username")
    assert evidence(stranger(), PERSON, policy) == ("username",)
    assert found(stranger(), policy=policy).account.remote_id == "7"


def test_an_immutable_key_that_was_not_searched_by_needs_a_second_field() -> None:
    assert evidence(stranger(), PERSON, replace(POLICY, immutable_key="email")) == ()


def test_flags_empty_texts_and_what_is_not_shown_are_no_evidence() -> None:
    person = replace(PERSON, wanted={**RECORD, "first_name": "", "email": "mira@example.com"})
    silent = replace(
        stranger(), record={"username": "mira", "first_name": "", "is_active": True, "groups": [1, 2]}
    )
    assert evidence(silent, person, POLICY) == ()


def test_one_of_a_few_words_that_many_have_is_no_evidence() -> None:
    fields = {**FIELDS, "type": replace(FIELDS["first_name"], name="type", choices=("internal", "external"))}
    person = replace(PERSON, wanted={**PERSON.wanted, "type": "internal"})
    assert evidence(stranger(), person, replace(POLICY, fields=fields)) == ()


def test_evidence_compares_as_the_field_does() -> None:
    fields = {**FIELDS, "email": replace(FIELDS["email"], normalise=lambda value: str(value).lower())}
    one = replace(stranger(), record={**stranger().record, "email": "MIRA@example.com"})
    assert evidence(one, PERSON, replace(POLICY, fields=fields)) == ("username", "email")


def test_a_former_value_may_be_what_matched() -> None:
    renamed = match(username="mira.old")
    assert found(renamed).account.remote_id == "7"


def test_two_matches_hold() -> None:
    absorbed = found(match("7"), match("8"))
    assert held(absorbed) is Reason.MATCHES
    assert "2 accounts" in absorbed.account.held[ACCOUNT].message


def test_an_account_of_another_identity_holds() -> None:
    absorbed = found(match("7"), taken=("7",))
    assert held(absorbed) is Reason.UNIQUE
    assert "belongs to another identity" in absorbed.account.held[ACCOUNT].message


def test_an_account_of_another_identity_that_only_has_a_former_value_is_not_in_the_way() -> None:
    renamed = replace(PERSON, correlation=("mira.berg", "mira"))
    absorbed = found(match("7"), taken=("7",), person=renamed)
    assert absorbed.account.held[ACCOUNT].reason is Reason.MISSING


def old_bob(**values: Json) -> Person:
    """Somebody who was called mira, and whose other texts are these."""
    wanted = {**RECORD, "username": "bob", "first_name": "Bo", "email": "bo@example.com", **values}
    return replace(PERSON, wanted=wanted, correlation=("bob", "mira"))


def test_a_match_that_speaks_as_much_for_a_namesake_is_nobodys() -> None:
    alike = old_bob(first_name="Mira", email="mira@example.com")
    others = contested((match(),), PERSON, {"E2": alike}, POLICY)
    absorbed = absorb_found(UNLINKED, (match(),), (), PERSON, POLICY, moment(), others)
    assert others == {"7": "E2"}
    assert held(absorbed) is Reason.MATCHES
    assert "E2" in absorbed.account.held[ACCOUNT].message


def test_a_match_that_speaks_less_for_a_namesake_is_linked() -> None:
    assert contested((match(),), PERSON, {"E2": old_bob(email="mira@example.com")}, POLICY) == {}


def test_who_was_never_called_so_is_no_namesake_of_this_account() -> None:
    stranger_here = replace(old_bob(first_name="Mira", email="mira@example.com"), correlation=("bob",))
    assert contested((match(),), PERSON, {"E2": stranger_here}, POLICY) == {}


def test_of_two_matches_the_one_that_nobody_owns_is_linked_if_the_evidence_is_there() -> None:
    assert found(match("7"), match("8"), taken=("7",)).account.remote_id == "8"
    assert held(found(match("7"), stranger("8"), taken=("7",))) is Reason.MATCHES


def test_no_match_holds_as_missing_and_names_what_was_asked_for() -> None:
    absorbed = found()
    assert held(absorbed) is Reason.MISSING
    assert absorbed.account.held[ACCOUNT].message == "no account of The CRM has username = 'mira'"


def test_no_match_is_ignored_where_the_target_says_so() -> None:
    absorbed = found(policy=replace(POLICY, on_missing="ignore"))
    assert (absorbed.account.held, absorbed.follow) == ({}, End())


@pytest.mark.parametrize("person", [replace(PERSON, leaver=True), replace(PERSON, in_scope=False)])
def test_a_leaver_whose_account_is_missing_is_a_no_op_and_ends_the_hold(person: Person) -> None:
    absorbed = found(person=person, account=found().account)
    assert (absorbed.account.held, absorbed.follow) == ({}, End())


def test_an_ignored_stranger_is_still_held() -> None:
    assert held(found(stranger(), policy=replace(POLICY, on_missing="ignore"))) is Reason.MATCHES


def test_a_link_ends_the_hold_of_the_account() -> None:
    linked = found(match(), account=found().account).account
    assert ACCOUNT not in linked.held


def test_the_target_is_asked_again_only_for_a_new_value_or_when_told_to() -> None:
    missing = found().account
    renamed = replace(PERSON, correlation=("mira.berg", "mira"))
    assert isinstance(step_of(missing, renamed).step, Find)
    assert isinstance(step_of(replace(missing, must_read=True)).step, Find)
    assert isinstance(step_of(missing).step, Done)


def test_a_person_without_a_correlation_value_is_not_searched_for() -> None:
    assert isinstance(step_of(UNLINKED, replace(PERSON, correlation=())).step, Done)
