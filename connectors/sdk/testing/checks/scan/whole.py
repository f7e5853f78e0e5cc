"""A listing that goes well: who is in it, how often, in which order, and what is told of them."""

from __future__ import annotations

from connectors.sdk.fields import Field
from connectors.sdk.model import Json, OutcomeKind, Page
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import all_of, check, creating, declaring, deleting, many_accounts, scanning
from connectors.sdk.testing.listing_faults import PEOPLE, Walk, people, walk, walk_with
from connectors.sdk.testing.server import Account


@check(needs=scanning)
def nobody_is_left_out(bench: Bench) -> None:
    """Every account of the server is listed. Catches a scan that ends with the first page."""
    people(bench)
    seen = _scanned(bench)
    missing = sorted(set(bench.server.rows()) - set(seen.ids))
    assert not missing, f"the scan ended without {missing}, on {len(seen.pages)} pages"


@check(needs=scanning)
def nobody_comes_twice(bench: Bench) -> None:
    """Every account is listed once. Catches pages that overlap."""
    people(bench)
    ids = _scanned(bench).ids
    twice = sorted({remote_id for remote_id in ids if ids.count(remote_id) > 1})
    assert not twice, f"the scan listed {twice} more than once"


@check(needs=all_of(scanning, many_accounts))
def the_order_is_stable(bench: Bench) -> None:
    """Two scans list in one order. Catches a set of ids, or an order that the server does not keep."""
    people(bench)
    first, second = _scanned(bench).ids, _scanned(bench).ids
    assert first == second, (
        f"nothing was changed between two scans, but the order was: {first}, then {second}"
    )


@check(needs=scanning)
def ids_are_those_of_fetch(bench: Bench) -> None:
    """Each listed id can be fetched, and is the account that was listed. Catches a scan that calls accounts
    by another key than every other method.
    """
    remote_id, *_ = people(bench)
    ids = _scanned(bench).ids
    assert remote_id in ids, f"the account {remote_id} is called otherwise in the scan: {ids}"


@check(needs=scanning)
def records_are_those_of_fetch(bench: Bench) -> None:
    """A listed record says what `fetch` says. Catches entries that are not decoded, which look like a
    difference in every account.
    """
    remote_id, *_ = people(bench)
    listed = _scanned(bench).records.get(remote_id, {})
    read = bench.connector().fetch(remote_id).record or {}
    other = [name for name in listed if name in read and listed[name] != read[name]]
    assert listed, f"the scan tells nothing of {remote_id}"
    assert not other, f"scan and fetch differ in {other} of an account that nobody changed"


@check(needs=scanning)
def the_total_is_of_everybody(bench: Bench) -> None:
    """`total` is the number of accounts, where it is told. Catches the size of a page in its place."""
    people(bench)
    total, held = bench.connector().scan(None).total, len(bench.server.rows())
    assert total in {None, held}, f"the server holds {held} accounts; the first page says {total}"


@check(needs=all_of(scanning, many_accounts))
def a_cursor_outlives_its_connector(bench: Bench) -> None:
    """Another process goes on from a cursor. Catches a place that is kept in the connector."""
    people(bench)
    whole = _scanned(bench)
    cursor = whole.pages[0].cursor
    if cursor is None:
        return
    rest = walk(bench.connector().scan, cursor).ids
    expected = whole.ids[len(whole.pages[0].records) :]
    assert rest == expected, f"from the same cursor another connector lists {rest} instead of {expected}"


@check(needs=all_of(scanning, many_accounts))
def a_cursor_may_be_used_again(bench: Bench) -> None:
    """A page that was lost on the way is asked for again. Catches a scan that is an iterator."""
    people(bench)
    connector = bench.connector()
    first = connector.scan(None)
    if first.cursor is None:
        return
    once, again = connector.scan(first.cursor), connector.scan(first.cursor)
    assert once.records == again.records, (
        f"the same cursor led to {_ids(once)}, and the second time to {_ids(again)}"
    )


@check(needs=all_of(scanning, many_accounts, creating))
def a_newcomer_disturbs_nobody(bench: Bench) -> None:
    """Somebody is made between two pages: all others are listed once. Catches a list with the newest first,
    where each newcomer shows somebody twice.
    """
    people(bench)
    before = set(bench.server.rows())
    connector = bench.connector()
    seen = walk_with(connector, lambda _: connector.create(bench.person(PEOPLE + 1)))
    ids = [remote_id for remote_id in seen.ids if remote_id in before]
    assert sorted(ids) == sorted(before), (
        f"while somebody came, the scan listed {ids}; before it there were {sorted(before)}"
    )


@check(needs=all_of(scanning, many_accounts, deleting))
def who_leaves_takes_nobody_along(bench: Bench) -> None:
    """Somebody is deleted between two pages: nobody else is lost, or the pages tell that the list moved.
    Catches page numbers followed blindly: the rest moves up, and the first of the next page is never seen.
    """
    people(bench)
    connector = bench.connector()
    seen = walk_with(connector, lambda page: connector.delete(_seeded(bench, page)))
    lost = sorted(set(bench.server.rows()) - set(seen.ids))
    totals = {page.total for page in seen.pages if page.total is not None}
    assert not lost or not seen.ended or len(totals) > 1, (
        f"somebody was deleted during the scan: {lost} were lost, and no page tells that the list moved"
    )


@check(needs=all_of(scanning, declaring(lambda descriptor: descriptor.superuser_field is not None)))
def superusers_are_all_there(bench: Bench) -> None:
    """`superusers` lists every superuser, on whatever page. Catches a filter by another flag: the last
    superuser counts as one of many, and is taken away.
    """
    field = bench.descriptor.field(bench.descriptor.superuser_field or "")
    assert field is not None, f"{bench.descriptor.superuser_field} is in no row of the field table"
    ids = bench.hold([_powerful(bench, number, field) for number in range(1, PEOPLE + 1)])
    records = _scanned(bench).records
    known = {remote_id for remote_id in ids if records.get(remote_id, {}).get(field.name) is True}
    seen = walk(bench.connector().superusers)
    assert seen.ended, f"`superusers` did not come to an end: {seen.pages[-1].outcome.detail}"
    assert known <= set(seen.ids), f"{sorted(known - set(seen.ids))} are superusers; listed were {seen.ids}"


@check(needs=declaring(lambda descriptor: not descriptor.can_tell))
def a_style_without_a_log_asks_for_none(bench: Bench) -> None:
    """A style that cannot tell who changed an account asks for nothing and says so. Catches a guess at an
    address, which costs a request for each account that was changed outside.
    """
    (remote_id,) = bench.seed()
    told = bench.connector().history(remote_id)
    assert not bench.requests(), "a style that has no log asked the target nevertheless"
    assert told.changes == (), "a style that has no log told who changed something"
    expect(told.outcome, OutcomeKind.REJECTED, "a question to a log that there is not")


@check(needs=declaring(lambda descriptor: not descriptor.can_scan))
def a_style_that_cannot_says_so(bench: Bench) -> None:
    """A style without scanning asks for nothing and says so. Catches a list that is tried nevertheless, and
    an empty one in its place: everybody would count as gone.
    """
    bench.seed()
    page = bench.connector().scan(None)
    assert not Walk((page,)).whole, "a style that cannot scan said that it had, and found nobody"
    assert not bench.requests(), "a style that cannot scan asked the target nevertheless"


def _scanned(bench: Bench) -> Walk:
    seen = walk(bench.connector().scan)
    assert seen.ended, (
        f"the scan did not come to its end within {len(seen.pages)} pages:"
        f" {seen.pages[-1].outcome.kind.name} ({seen.pages[-1].outcome.detail})"
    )
    return seen


def _ids(page: Page) -> list[str]:
    return [remote_id for remote_id, _ in page.records]


def _seeded(bench: Bench, page: Page) -> str:
    """One of a page whom we made: never the owner of our credential."""
    return next(remote_id for remote_id in _ids(page) if remote_id in bench.seeded)


def _powerful(bench: Bench, number: int, field: Field) -> Account:
    """The first and the last are superusers, where that can be said."""
    values: dict[str, Json] = bench.person(number)
    if field.name in values:
        values[field.name] = number in {1, PEOPLE}
    return Account(f"p{number}", values)
