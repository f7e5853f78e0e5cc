"""A listing that does not go well: an end that is none, and links that lead astray."""

from __future__ import annotations

from connectors.sdk.testing import faults
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import all_of, check, many_accounts, scanning
from connectors.sdk.testing.listing_faults import Walk, after, leads, people, walk, without_ids
from connectors.sdk.testing.tap import Fault, reads


@check(needs=scanning)
def a_failed_list_is_no_empty_one(bench: Bench) -> None:
    """The first page fails (500). Catches an error answer read as *no accounts*."""
    _is_no_end(bench, faults.says(500, {"detail": "Out of order."}), "a first page answered with 500")


@check(needs=scanning)
def a_missing_list_is_no_empty_one(bench: Bench) -> None:
    """404 for the list: the base URL is wrong. Catches a 404 read as *no accounts*."""
    _is_no_end(bench, faults.says(404, {"detail": "Not found."}), "a first page answered with 404")


@check(needs=scanning)
def another_object_is_no_empty_list(bench: Bench) -> None:
    """JSON without a list. Catches `get("results", [])`: an error with status 200 would be an empty list."""
    _is_no_end(bench, faults.says(200, {"status": "ok"}), "a first page that holds no list")


@check(needs=scanning)
def a_page_for_people_is_no_empty_list(bench: Bench) -> None:
    """HTML with status 200: somebody else answered. Catches a login page read as *no accounts*."""
    _is_no_end(bench, faults.html(), "a page for people instead of a list")


@check(needs=all_of(scanning, many_accounts))
def a_later_page_that_fails_is_no_end(bench: Bench) -> None:
    """The second page fails. Catches a scan that takes what it has for everybody."""
    _is_no_end(bench, after(1, faults.says(500, {"detail": "Out of order."})), "a list with a failing page")


@check(needs=all_of(scanning, many_accounts))
def a_later_page_that_is_gone_is_no_end(bench: Bench) -> None:
    """404 for a later page: the list shrank while it was read. Catches a 404 read as the end."""
    _is_no_end(
        bench, after(1, faults.says(404, {"detail": "Invalid page."})), "a list with a page that is gone"
    )


@check(needs=all_of(scanning, many_accounts))
def a_cut_page_is_no_end(bench: Bench) -> None:
    """The second page ends in the middle. Catches an answer that is half read and believed."""
    _is_no_end(bench, after(1, faults.cut_body), "a list with a page that was cut")


@check(needs=all_of(scanning, many_accounts))
def a_page_is_whole_or_nothing(bench: Bench) -> None:
    """An entry without an id makes its page worthless. Catches an account that is left out in silence."""
    first, *_ = people(bench)
    bench.misbehave(without_ids(first), reads)
    _did_not_end(bench, walk(bench.connector().scan), "a list in which an entry has no id")


@check(needs=all_of(scanning, many_accounts))
def a_link_to_elsewhere_is_no_end(bench: Bench) -> None:
    """The rest stands where we do not go: the scan is not complete. Catches a link that is dropped as if
    the page were the last.
    """
    people(bench)
    bench.misbehave(leads(f"{bench.tap.elsewhere}/users/?page=2"), reads)
    _did_not_end(bench, walk(bench.connector().scan), "a list that goes on at another origin")


def _is_no_end(bench: Bench, fault: Fault, what: str) -> None:
    people(bench)
    bench.misbehave(fault, reads)
    _did_not_end(bench, walk(bench.connector().scan), what)


def _did_not_end(bench: Bench, seen: Walk, what: str) -> None:
    """Whoever lists everybody nevertheless is right too."""
    lost = sorted(set(bench.server.rows()) - set(seen.ids))
    assert not (seen.ended and lost), (
        f"{what} was taken as the end of the list, OBSERVED without a cursor: {lost} were never seen, and"
        " would count as gone"
    )
