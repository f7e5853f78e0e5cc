"""Searching by value: who is found, by what, and who never is."""

from __future__ import annotations

from connectors.sdk.model import Found, Match, OutcomeKind
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, many_accounts, with_field
from connectors.sdk.testing.listing_faults import PEOPLE, people, unfiltered, without_text
from connectors.sdk.testing.naming import blank_text, found_ids, shared_text, two_correlations
from connectors.sdk.testing.server import Account
from connectors.sdk.testing.tap import reads


@check()
def the_one_asked_for(bench: Bench) -> None:
    """Of several accounts the one that holds the value is found. Catches a search that names everybody."""
    *_, last = people(bench)
    number = len(bench.seeded)
    found = bench.connector().find(bench.wanted(number))
    assert found_ids(found) == [last], f"one account holds the value, {last}; found were {found_ids(found)}"


@check()
def nobody_is_an_answer(bench: Bench) -> None:
    """Nobody holds the value: OBSERVED, without a match. Catches *nobody* reported as a failure."""
    people(bench)
    found = bench.connector().find(bench.wanted(PEOPLE + 1))
    assert found.outcome.kind is OutcomeKind.OBSERVED, (
        f"a search that worked and found nobody is OBSERVED, it was {found.outcome.kind.name}"
        f" ({found.outcome.detail})"
    )
    assert not found.matches, f"nobody holds the value; found were {found_ids(found)}"


@check()
def a_former_name_finds(bench: Bench) -> None:
    """A value behind the first counts too. Catches a search by the current name only: after a rename the
    account is not found, and a second one is made.
    """
    first, *_ = people(bench)
    found = bench.connector().find(bench.wanted(PEOPLE + 1, 1))
    assert found_ids(found) == [first], (
        f"{first} holds the second of two values that were asked for; found were {found_ids(found)}"
    )


@check(needs=many_accounts)
def two_people_are_two_matches(bench: Bench) -> None:
    """Two accounts hold one of the values each: both are matches. Catches a search that ends with the first
    match, so that a doubtful person is linked without doubt.
    """
    first, second, *_ = people(bench)
    found = bench.connector().find(bench.wanted(1, 2))
    assert sorted(found_ids(found)) == sorted((first, second)), (
        f"{first} and {second} hold the values that were asked for; found were {found_ids(found)}"
    )


@check(needs=shared_text)
def one_value_of_two_people_is_two_matches(bench: Bench) -> None:
    """Two accounts share one value: both are matches. Catches `results[0]`."""
    name, value = _shared(bench)
    ids = bench.hold(
        [Account(f"p{number}", {**bench.person(number), name: value}) for number in (1, 2)]
        + [Account("p3", bench.person(3))]
    )
    found = bench.connector().find({name: (value,)})
    assert sorted(found_ids(found)) == sorted(ids[:2]), (
        f"{ids[:2]} hold the same {name}; found were {found_ids(found)}"
    )


@check(needs=two_correlations)
def matched_names_what_agreed(bench: Bench) -> None:
    """`matched` holds the fields that agree and no other. Catches evidence for a link that is none."""
    people(bench)
    name = bench.descriptor.correlation
    other = next(field.name for field in bench.texts if field.name != name)
    wanted = {**bench.wanted(1), other: (str(bench.person(PEOPLE + 1)[other]),)}
    (match,) = _one(bench.connector().find(wanted))
    assert match.matched == (name,), f"the account agrees in {name} only, `matched` is {match.matched}"


@check(needs=two_correlations)
def matched_names_all_that_agreed(bench: Bench) -> None:
    """Two fields that agree are both in `matched`. Catches evidence that gets lost, so that nobody links."""
    people(bench)
    name = bench.descriptor.correlation
    other = next(field.name for field in bench.texts if field.name != name)
    wanted = {**bench.wanted(1), other: (str(bench.person(1)[other]),)}
    (match,) = _one(bench.connector().find(wanted))
    assert set(match.matched) == {name, other}, (
        f"the account agrees in {name} and {other}, `matched` is {match.matched}"
    )


@check()
def a_match_is_the_account(bench: Bench) -> None:
    """A match holds the record that `fetch` shows. Catches entries of a list that are not decoded."""
    first, *_ = people(bench)
    (match,) = _one(bench.connector().find(bench.wanted(1)))
    read = bench.connector().fetch(first).record or {}
    other = [name for name in match.record if name in read and match.record[name] != read[name]]
    assert not other, f"the record of a match differs from that of `fetch` in {other}"
    assert bench.descriptor.correlation in match.record, "the record of a match lacks what it was found by"


@check()
def an_ignored_filter_is_nobody(bench: Bench) -> None:
    """A server that ignores a filter answers with everybody: nobody of them is a match. Catches trust in
    the filter, which links a person to whoever comes first.
    """
    people(bench)
    wanted = bench.wanted(PEOPLE + 1)
    bench.misbehave(unfiltered(*_values(wanted)), reads)
    found = bench.connector().find(wanted)
    assert not found.matches, (
        f"the server ignored the filter and nobody holds the value, but {found_ids(found)} count as found"
    )


@check()
def an_ignored_filter_hides_nobody(bench: Bench) -> None:
    """The match stands on a later page of everybody: it is found. Catches a look at the first page only,
    after which the person is made a second time.
    """
    *_, last = people(bench)
    wanted = bench.wanted(len(bench.seeded))
    bench.misbehave(unfiltered(*_values(wanted)), reads)
    found = bench.connector().find(wanted)
    assert found_ids(found) == [last] or found.outcome.kind is not OutcomeKind.OBSERVED, (
        f"{last} holds the value, on a later page of a list without a filter; nobody was said to hold it"
    )


@check()
def a_match_shows_its_value(bench: Bench) -> None:
    """An account that does not show the field is no match, whoever answered. Catches an absent field that
    counts as equal.
    """
    people(bench)
    wanted = bench.wanted(1)
    bench.misbehave(without_text(*_values(wanted)), reads)
    found = bench.connector().find(wanted)
    assert not found.matches, (
        f"no account in the answer shows {bench.descriptor.correlation}, but {found_ids(found)} count as"
        " found"
    )


@check()
def nothing_to_search_by_is_refused(bench: Bench) -> None:
    """A search without a value is refused and finds nobody. Catches a list of everybody as matches, and a
    *nobody* after which an account is made.
    """
    people(bench)
    for wanted in ({}, {bench.descriptor.correlation: ()}):
        found = bench.connector().find(wanted)
        assert not found.matches, f"a search for {wanted} found {found_ids(found)}"
        assert found.outcome.kind is not OutcomeKind.OBSERVED, (
            f"a search for {wanted} was said to have worked"
        )
    assert not bench.requests(), "a search without a value asked the target"


@check(needs=with_field(blank_text))
def blank_finds_nobody(bench: Bench) -> None:
    """An empty value identifies nobody, also where many have none. Catches a link to an account whose
    e-mail address is empty too.
    """
    field = next(item for item in bench.writable if blank_text(item))
    bench.hold([Account("p1", {**bench.person(1), field.name: ""})])
    for text in ("", "  "):
        found = bench.connector().find({field.name: (text,)})
        assert not found.matches, f"a search for {field.name} = {text!r} found {found_ids(found)}"


def _shared(bench: Bench) -> tuple[str, str]:
    field = next(item for item in bench.texts if not item.unique)
    return field.name, str(bench.samples.other(field, 5))


def _values(wanted: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(value for values in wanted.values() for value in values)


def _one(found: Found) -> tuple[Match, ...]:
    assert len(found.matches) == 1, (
        f"one account holds the value; found were {found_ids(found)}, {found.outcome.kind.name}"
        f" ({found.outcome.detail})"
    )
    return found.matches
