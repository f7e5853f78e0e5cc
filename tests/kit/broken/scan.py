"""Lists that leave somebody out, show somebody twice, or end where they do not."""

# ruff: noqa: ARG002 - a place to break it at has the same arguments in every connector
from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any, ClassVar, Final

from connectors.sdk.answers import Answer
from connectors.sdk.listing import accounts_in
from connectors.sdk.model import History, Outcome, OutcomeKind, Page
from tests.kit.broken.base import Tampered, When, both, broken, html, said, status
from tests.kit.broken.samples import MODEST, ModestAcme

K: Final = OutcomeKind
PAGE: Final = 3


class Lists(Tampered):
    """Lists accounts in its own way."""

    def scan(self, cursor: str | None) -> Page:
        return self.listed(super().scan(cursor), cursor)

    def listed(self, page: Page, cursor: str | None) -> Page:
        return page


@broken("scan-nobody_is_left_out")
class EndsWithTheFirstPage(Lists):
    """A list ends with its first page."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        return replace(page, cursor=None)


@broken("scan-nobody_comes_twice")
class Overlaps(Lists):
    """The first of each page comes twice."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        return replace(page, records=page.records[:1] + page.records)


@broken("scan-the_order_is_stable")
class HasNoOrder(Lists):
    """A list has another order each time."""

    turns: ClassVar[Any] = itertools.count()

    def listed(self, page: Page, cursor: str | None) -> Page:
        return replace(page, records=page.records[:: -1 if next(self.turns) % 2 else 1])


@broken("scan-ids_are_those_of_fetch")
class CallsThemByLogin(Lists):
    """Accounts in a list are called by their logins."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        named = tuple((str(record["login"]), record) for _, record in page.records)
        return replace(page, records=named)


@broken("scan-records_are_those_of_fetch")
class ListsUndecoded(Lists):
    """Entries of a list are not decoded."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        return replace(page, records=tuple((key, {**row, "contract": " any "}) for key, row in page.records))


@broken("scan-the_total_is_of_everybody")
class CountsThePage(Lists):
    """The number of all accounts is that of the page."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        return replace(page, total=len(page.records))


@broken("scan-a_cursor_outlives_its_connector")
class KeepsItsPlace(Tampered):
    """The place in a list is kept in the connector."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.places: list[str] = []

    def scan(self, cursor: str | None) -> Page:
        known = None if cursor is None or int(cursor) >= len(self.places) else self.places[int(cursor)]
        page = super().scan(known)
        if page.cursor is None:
            return page
        self.places.append(page.cursor)
        return replace(page, cursor=str(len(self.places) - 1))


@broken("scan-a_cursor_may_be_used_again")
class IsAnIterator(Tampered):
    """A cursor that is used again goes on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.used: set[str] = set()

    def scan(self, cursor: str | None) -> Page:
        page = super().scan(cursor)
        if cursor in self.used and page.cursor is not None:
            return super().scan(page.cursor)
        self.used |= {cursor} if cursor else set()
        return page


@broken("scan-a_newcomer_disturbs_nobody")
class ListsTheNewestFirst(Tampered):
    """The newest account stands first."""

    def scan(self, cursor: str | None) -> Page:
        page = super().scan(None)
        everybody = [*page.records]
        following = page.cursor
        while following is not None:
            page = super().scan(following)
            everybody += page.records
            following = page.cursor
        if page.outcome.kind is not K.OBSERVED:
            return page
        everybody.reverse()
        begin = int(cursor or 0)
        more = begin + PAGE < len(everybody)
        shown = tuple(everybody[begin : begin + PAGE])
        return Page(page.outcome, shown, str(begin + PAGE) if more else None, len(everybody))


@broken("scan-who_leaves_takes_nobody_along")
class NeverCounts(Lists):
    """What tells that a list moved is not told."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        return replace(page, total=None)


@broken("scan-superusers_are_all_there")
class FiltersByAnotherFlag(Tampered):
    """Superusers are looked for by another flag."""

    def superusers(self, cursor: str | None) -> Page:
        return self._search.scan(cursor or "/v1/people/?login=superuser")


@broken("scan-a_style_that_cannot_says_so", MODEST)
class ListsNobody(ModestAcme):
    """A style that cannot list has an empty list."""

    def scan(self, cursor: str | None) -> Page:
        return Page(Outcome(K.OBSERVED, super().scan(cursor).outcome.exchange))


def ends(check: str, what: str, when: When, *, later: bool = False) -> None:
    """A connector that takes a failing page for the end of the list."""

    def listed(self: Lists, page: Page, cursor: str | None) -> Page:
        if not when(page.outcome, self.last) or (cursor is not None) is not later:
            return page
        return Page(replace(page.outcome, kind=K.OBSERVED))

    name = check.title().replace("_", "").replace("-", "Not")
    broken(check)(type(name, (Lists,), {"__doc__": what, "listed": listed}))


def listless(_outcome: Outcome, answer: Answer) -> bool:
    return b'"people"' not in answer.body


ends("scan-a_failed_list_is_no_empty_one", "A list that fails is empty.", status(500))
ends("scan-a_missing_list_is_no_empty_one", "A list that is not there is empty.", status(404))
ends(
    "scan-another_object_is_no_empty_list",
    "An object without a list is empty.",
    both(said("no listing"), listless),
)
ends(
    "scan-a_page_for_people_is_no_empty_list",
    "A page for people is an empty list.",
    both(status(200), html),
)
ends("scan-a_later_page_that_fails_is_no_end", "A page that fails is the last.", status(500), later=True)
ends("scan-a_later_page_that_is_gone_is_no_end", "A page that is gone was none.", status(404), later=True)
ends("scan-a_cut_page_is_no_end", "What came of a page is the last of it.", said("was cut"), later=True)
ends("scan-a_link_to_elsewhere_is_no_end", "A link that is not followed is none.", said("said to be at"))


@broken("scan-a_page_is_whole_or_nothing")
class LeavesEntriesOut(Lists):
    """Entries without an id are left out."""

    def listed(self, page: Page, cursor: str | None) -> Page:
        entries = json.loads(self.last.body).get("people") if "no listing" in page.outcome.detail else None
        if entries is None:
            return page
        whole = [entry for entry in entries if "id" in entry]
        shape = self._search._shape
        accounts = accounts_in(whole, shape.fields, shape.id_key, shape.dialect) or ()
        return Page(replace(page.outcome, kind=K.OBSERVED), accounts)


@broken("scan-a_style_without_a_log_asks_for_none")
class GuessesALog(Tampered):
    """A style without a log asks for one."""

    def history(self, remote_id: str) -> History:
        self._client.get(f"/v1/people/{remote_id}/log/")
        return super().history(remote_id)
