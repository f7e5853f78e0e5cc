"""Values that mean something to a URL, a list or a database: they reach the server as they are."""

from __future__ import annotations

from typing import Final

from connectors.sdk.model import OutcomeKind
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import all_of, check, many_accounts, with_field
from connectors.sdk.testing.naming import called, can_be_called, found_ids, free_text, spelled
from connectors.sdk.testing.server import Account

SIGNS: Final = "kim+x.lee-ray"
LETTERS: Final = "zoë.łukasz"
CAPITALS: Final = "McKim"
MARK: Final = "zq"
PERCENT: Final = f"{MARK}%41"
AMPERSAND: Final = f"{MARK}&page=2#x=1"


@check(needs=can_be_called(SIGNS))
def signs_are_found(bench: Bench) -> None:
    """A plus is a plus. Catches a query in which it means a blank: the account is made again."""
    _is_found(bench, SIGNS)


@check(needs=can_be_called(LETTERS))
def letters_of_all_languages_are_found(bench: Bench) -> None:
    """Names are not ASCII. Catches a query in Latin-1, and letters that are left out."""
    _is_found(bench, LETTERS)


@check(needs=can_be_called(CAPITALS))
def capitals_are_found(bench: Bench) -> None:
    """A value is asked for and compared as it is written. Catches a search for it in small letters."""
    _is_found(bench, CAPITALS)


@check(needs=all_of(many_accounts, can_be_called(CAPITALS)))
def another_case_is_the_servers_affair(bench: Bench) -> None:
    """Where the server holds two names that differ in case only, they are two people: the one asked for is
    found. Catches a comparison without regard to case. Waive it where the server tells them not apart.
    """
    names = (CAPITALS, CAPITALS.lower())
    ids = bench.hold(
        [Account(name, called(bench, number, name)) for number, name in enumerate(names, start=1)]
    )
    found = bench.connector().find({bench.descriptor.correlation: (spelled(bench.samples, names[1]),)})
    assert found_ids(found) == [ids[1]], (
        f"the server holds {names[0]} and {names[1]} as two accounts; {names[1]} is {ids[1]}, found were"
        f" {found_ids(found)}"
    )


@check(needs=with_field(free_text))
def a_comma_is_no_list(bench: Bench) -> None:
    """`Lee, Kim` is one value, not two. Catches a filter `field__in` that takes it apart."""
    field = next(item for item in bench.texts if free_text(item))
    (remote_id,) = bench.hold([Account("p1", {**bench.person(1), field.name: "Lee, Kim"})])
    found = bench.connector().find({field.name: ("Lee, Kim", "Lee, Robin")})
    assert found_ids(found) == [remote_id], (
        f"{remote_id} has the {field.name} 'Lee, Kim'; found were {found_ids(found)},"
        f" {found.outcome.kind.name} ({found.outcome.detail})"
    )


@check()
def a_percent_is_a_percent(bench: Bench) -> None:
    """What looks like an escape is none. Catches a value that is not escaped, or twice undone."""
    _asks_for_nothing_else(bench, PERCENT)


@check()
def an_ampersand_adds_nothing(bench: Bench) -> None:
    """`&` and `#` do not end a value. Catches a query put together as text, in which a name of HR's can
    name a page, a size or another filter.
    """
    _asks_for_nothing_else(bench, AMPERSAND)


@check()
def quotes_end_nothing(bench: Bench) -> None:
    """Quotes and backslashes in a value are found like any other: by nobody here. Catches a filter language
    or a JSON text put together by hand, which the target then refuses.
    """
    bench.seed()
    name = bench.descriptor.correlation
    found = bench.connector().find({name: (f'{MARK}"\\\' or "1"="1', *bench.wanted(1)[name])})
    assert found_ids(found) == list(bench.seeded), (
        f"a value with quotes was asked for beside that of {list(bench.seeded)}; found were"
        f" {found_ids(found)}, {found.outcome.kind.name} ({found.outcome.detail})"
    )


@check()
def what_no_database_holds_finds_nobody(bench: Bench) -> None:
    """A NUL or a lone surrogate is in no account: no match and no exception. Catches a UnicodeEncodeError
    in the middle of a run, and a 500 of the target's.
    """
    bench.seed()
    for text in ("zq\x00", "zq\ud800"):
        found = bench.connector().find({bench.descriptor.correlation: (text,)})
        assert not found.matches, f"nobody can be called {text!r}, but {found_ids(found)} count as found"


def _is_found(bench: Bench, text: str) -> None:
    (remote_id,) = bench.hold([Account("p1", called(bench, 1, text))])
    value = spelled(bench.samples, text)
    found = bench.connector().find({bench.descriptor.correlation: (value,)})
    assert found_ids(found) == [remote_id], (
        f"{remote_id} is called {value!r}; found were {found_ids(found)}, {found.outcome.kind.name}"
        f" ({found.outcome.detail})"
    )


def _asks_for_nothing_else(bench: Bench, text: str) -> None:
    bench.seed()
    found = bench.connector().find({bench.descriptor.correlation: (text,)})
    assert found.outcome.kind is OutcomeKind.OBSERVED, (
        f"a search for {text!r} failed: {found.outcome.kind.name} ({found.outcome.detail})"
    )
    for request in bench.requests():
        told = [value for value in request.query.values() if MARK in value and text not in value]
        assert not told, f"a search for {text!r} reached the server as a search for {told}"
