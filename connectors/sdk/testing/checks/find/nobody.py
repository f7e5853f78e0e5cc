"""What is not *nobody*: a search that failed, was cut short or could not see everybody.

The engine makes an account where nobody is. Each of these would make a second one.
"""

from __future__ import annotations

from connectors.sdk.model import OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, many_accounts
from connectors.sdk.testing.exchange import Answer
from connectors.sdk.testing.listing_faults import PEOPLE, after, led, people, unfiltered, without_ids
from connectors.sdk.testing.naming import found_ids
from connectors.sdk.testing.tap import Fault, Turn, reads

MOST_REQUESTS = 500


@check()
def a_failed_search(bench: Bench) -> None:
    """The server fails (500): nobody knows. Catches an error answer read as an empty list."""
    _is_not_nobody(bench, faults.says(500, {"detail": "Out of order."}), "a search answered with 500")


@check()
def a_missing_list(bench: Bench) -> None:
    """404 for the list: the base URL is wrong, and nobody is missing. Catches a 404 read as *not found*."""
    _is_not_nobody(bench, faults.says(404, {"detail": "Not found."}), "a search answered with 404")


@check()
def a_forbidden_search(bench: Bench) -> None:
    """403: we may not look. Catches a right that we lack read as an empty list."""
    _is_not_nobody(bench, faults.says(403, {"detail": "Not allowed."}), "a search answered with 403")


@check()
def a_login_page(bench: Bench) -> None:
    """HTML with status 200: a proxy stands between. Catches a page without accounts read as none."""
    _is_not_nobody(bench, faults.html(), "a search answered with a page for people")


@check()
def another_object(bench: Bench) -> None:
    """JSON without a list: another API, or an error with status 200. Catches `get("results", [])`."""
    _is_not_nobody(
        bench, faults.says(200, {"status": "ok"}), "a search answered with an object without a list"
    )


@check(needs=many_accounts)
def entries_without_an_id(bench: Bench) -> None:
    """Entries that no id can be read from: the list is not whole. Catches entries left out in silence."""
    ids = people(bench)
    bench.misbehave(without_ids(*ids, bench.owner_id() or ids[0]), reads)
    _knows_nothing(bench, "a search answered with entries without an id")


@check(needs=many_accounts)
def a_later_page_that_fails(bench: Bench) -> None:
    """The first pages are well and the next one fails: who stands there is unknown. Catches a search that
    is content with what it has.
    """
    *_, last = people(bench)
    values = bench.wanted(PEOPLE)[bench.descriptor.correlation]
    broken = faults.says(500, {"detail": "Out of order."})
    bench.misbehave(after(2, broken, meanwhile=unfiltered(*values)), reads)
    found = bench.connector().find(bench.wanted(PEOPLE))
    assert found_ids(found) == [last] or found.outcome.kind is not OutcomeKind.OBSERVED, (
        "a later page of the list failed, and nobody was said to hold a value that stands on it"
    )


@check(needs=many_accounts)
def a_list_that_leads_to_itself(bench: Bench) -> None:
    """Each page is the first one again: the search ends, and *nobody* is not its answer. Catches a search
    that never ends.
    """
    *_, last = people(bench)
    wanted = bench.wanted(PEOPLE)
    bench.misbehave(_the_same_again(*wanted[bench.descriptor.correlation]), reads, MOST_REQUESTS)
    bench.misbehave(faults.says(500), reads)
    found = bench.connector().find(wanted)
    assert len(bench.requests()) < MOST_REQUESTS, "a search in a list that leads to itself asks for ever"
    assert found_ids(found) == [last] or found.outcome.kind is not OutcomeKind.OBSERVED, (
        "a list led to itself, and nobody was said to hold a value that was never seen"
    )


def _is_not_nobody(bench: Bench, fault: Fault, what: str) -> None:
    people(bench)
    bench.misbehave(fault, reads)
    _knows_nothing(bench, what)


def _knows_nothing(bench: Bench, what: str) -> None:
    found = bench.connector().find(bench.wanted(1))
    assert found.outcome.kind is not OutcomeKind.OBSERVED, (
        f"{what} was said to have worked, with {len(found.matches)} matches: an account would be made for"
        " somebody who has one"
    )


def _the_same_again(*values: str) -> Fault:
    """Whatever list is asked for, the first page of everybody, whose links lead to where they stand."""
    first: list[Answer] = []

    def keep(turn: Turn) -> None:
        first.append(led(turn.forward(), turn.request.path, turn.request.target))

    def fault(turn: Turn) -> None:
        if not first:
            unfiltered(*values, then=keep)(turn)
        turn.answer(first[0])

    return fault
