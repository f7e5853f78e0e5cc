"""Searches that find the wrong people, or nobody where somebody is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Final

from connectors.sdk.model import Found, Json, Match, Outcome, OutcomeKind, Record
from tests.kit.broken.base import (
    Tampered,
    always,
    both,
    broken,
    finds,
    html,
    kind,
    misreads,
    reading,
    said,
    status,
)

K: Final = OutcomeKind
Wanted = Mapping[str, tuple[str, ...]]


def nobody(found: Found) -> Found:
    return Found(Outcome(K.OBSERVED, found.outcome.exchange))


def first_only(found: Found) -> Found:
    return replace(found, matches=found.matches[:1])


# Who is found.


@broken("find-the_one_asked_for")
class FindsTheFirstPage(Tampered):
    """Whoever stands on the first page of the list is found."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(wanted)
        records = dict(self.scan(None).records)
        return replace(
            found, matches=tuple(Match(number, record, tuple(wanted)) for number, record in records.items())
        )


finds(
    "find-nobody_is_an_answer",
    "Nobody is a failure.",
    kind(K.OBSERVED),
    lambda found: found if found.matches else Found(replace(found.outcome, kind=K.MISSING)),
)


class Asks(Tampered):
    """Asks for other values than it was given."""

    def find(self, wanted: Wanted) -> Found:
        return super().find({name: self.asked(values) for name, values in wanted.items()})

    def asked(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return values


@broken("find-a_former_name_finds")
class ForgetsFormerNames(Asks):
    """Searches by the current value only."""

    def asked(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return values[:1]


@broken("find-two_people_are_two_matches")
class StopsAtTheFirstValue(Tampered):
    """The first value that somebody holds ends the search."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(wanted)
        for name, values in wanted.items():
            for value in values:
                holders = tuple(match for match in found.matches if match.record.get(name) == value)
                if holders:
                    return replace(found, matches=holders)
        return found


@broken("find-one_value_of_two_people_is_two_matches")
class TakesTheFirstResult(Tampered):
    """Of those who hold one value the first is taken."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(wanted)
        by_value = {
            tuple(match.record.get(name) for name in wanted): match for match in reversed(found.matches)
        }
        return replace(found, matches=tuple(by_value.values()))


@broken("find-matched_names_what_agreed")
class AgreesInEverything(Tampered):
    """Each match agrees in all that was asked for."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(wanted)
        return replace(found, matches=tuple(replace(match, matched=tuple(wanted)) for match in found.matches))


def _changed(change: Callable[[Match], Match]) -> Callable[[Found], Found]:
    return lambda found: replace(found, matches=tuple(map(change, found.matches)))


finds(
    "find-matched_names_all_that_agreed",
    "One field that agrees is enough to name.",
    always,
    _changed(lambda match: replace(match, matched=match.matched[:1])),
)
finds(
    "find-a_match_is_the_account",
    "Entries of the list are not decoded.",
    always,
    _changed(lambda match: replace(match, record={**match.record, "contract": " external "})),
)


class Believes(Tampered):
    """Believes the filter in its own way; asks for one page."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(dict.fromkeys(wanted, ()))
        for name, values in wanted.items():
            for value in values:
                page = self._search.page(self._search.asked(name, value) or self._search.first_page)
                if not page.ok:
                    return Found(page.outcome)
                matches = tuple(
                    Match(number, record, (name,))
                    for number, record in page.accounts
                    if self.agrees(record, name, value)
                )
                found = Found(page.outcome, (*found.matches, *matches))
        return found

    def agrees(self, record: Record, name: str, value: str) -> bool:
        return record.get(name) == value


@broken("find-an_ignored_filter_is_nobody")
class TrustsTheFilter(Believes):
    """Whoever a filter answers with is a match."""

    def agrees(self, record: Record, name: str, value: str) -> bool:
        del record, name, value
        return True


@broken("find-an_ignored_filter_hides_nobody")
class LooksAtOnePage(Believes):
    """A search ends with the first page."""


@broken("find-a_match_shows_its_value")
class FillsInWhatIsAbsent(Believes):
    """A field that an account does not show agrees."""

    def agrees(self, record: Record, name: str, value: str) -> bool:
        return record.get(name, value) == value


finds(
    "find-nothing_to_search_by_is_refused",
    "A search for nothing works, and finds nobody.",
    both(kind(K.REJECTED), said("nothing to search by")),
    nobody,
)


@broken("find-blank_finds_nobody")
class FindsTheNameless(Tampered):
    """Who has no value holds the empty one."""

    def find(self, wanted: Wanted) -> Found:
        blank = {name: value for name, values in wanted.items() for value in values if not value.strip()}
        if not blank:
            return super().find(wanted)
        page = self.scan(None)
        matches = [
            Match(number, record, tuple(blank))
            for number, record in page.records
            if all(record.get(name) == "" for name in blank)
        ]
        return Found(page.outcome, tuple(matches))


# What a value may hold.


class Quotes(Tampered):
    """Puts the address of a search together by hand."""

    wrongly: ClassVar[dict[str, str]] = {}

    def sending(self, method: str, target: str, body: bytes | None) -> tuple[str, str, bytes | None]:
        for right, wrong in self.wrongly.items():
            target = target.replace(right, wrong)
        return method, target, body


@broken("find-signs_are_found")
class LeavesThePlus(Quotes):
    """A plus is sent as it is, and means a blank."""

    wrongly: ClassVar[dict[str, str]] = {"%2B": "+"}


@broken("find-letters_of_all_languages_are_found")
class LeavesLettersOut(Quotes):
    """Letters beyond Latin-1 are left out of a query."""

    wrongly: ClassVar[dict[str, str]] = {"%C5%82": ""}


@broken("find-a_percent_is_a_percent")
class LeavesThePercent(Quotes):
    """A percent is sent as it is, and begins an escape."""

    wrongly: ClassVar[dict[str, str]] = {"%25": "%"}


@broken("find-an_ampersand_adds_nothing")
class LeavesTheAmpersand(Quotes):
    """An ampersand is sent as it is, and ends the value."""

    wrongly: ClassVar[dict[str, str]] = {"%26": "&"}


@broken("find-capitals_are_found")
class AsksInSmallLetters(Asks):
    """Names are searched in small letters."""

    def asked(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.lower() for value in values)


@broken("find-another_case_is_the_servers_affair")
class ComparesWithoutCase(Tampered):
    """Names that differ in case are one name."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(wanted)
        if not found.matches:
            return found
        small = {name: {value.lower() for value in values} for name, values in wanted.items()}
        alike = [
            Match(number, record, tuple(wanted))
            for number, record in self._everybody()
            if any(str(record.get(name)).lower() in values for name, values in small.items())
        ]
        return found if len(alike) <= len(found.matches) else replace(found, matches=tuple(alike))

    def _everybody(self) -> list[tuple[str, Record]]:
        page = self.scan(None)
        everybody = [*page.records]
        while page.cursor is not None:
            page = self.scan(page.cursor)
            everybody += page.records
        return everybody


@broken("find-a_comma_is_no_list")
class SplitsAtCommas(Asks):
    """A value with a comma is a list of values."""

    def asked(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(part for value in values for part in value.split(","))


@broken("find-quotes_end_nothing")
class WritesAFilterLanguage(Tampered):
    """A value with a quote makes a filter that the server refuses."""

    def find(self, wanted: Wanted) -> Found:
        found = super().find(wanted)
        if not any('"' in value for values in wanted.values() for value in values):
            return found
        return Found(replace(found.outcome, kind=K.REJECTED))


@broken("find-what_no_database_holds_finds_nobody", raises=True)
class EncodesWithoutLooking(Asks):
    """A value that UTF-8 cannot hold ends in an exception."""

    def asked(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.encode().decode() for value in values)


# What is not nobody.

SEARCH: Final = status(200)

finds("find-a_failed_search", "A server that fails has nobody.", status(500), nobody)
finds("find-a_missing_list", "A list that is not there is empty.", status(404), nobody)
finds("find-a_forbidden_search", "Whom we may not see is not there.", status(403), nobody)
finds("find-a_login_page", "A page without accounts holds none.", both(status(200), html), nobody)
finds(
    "find-another_object",
    "An object without a list is an empty list.",
    both(said("no listing of accounts"), lambda _outcome, answer: b'"people"' not in answer.body),
    nobody,
)
finds(
    "find-entries_without_an_id",
    "Entries without an id are left out.",
    both(said("no listing of accounts"), lambda _outcome, answer: b'"people"' in answer.body),
    nobody,
)
finds(
    "find-a_later_page_that_fails",
    "A later page that fails was empty.",
    lambda outcome, _answer: outcome.exchange.status == 500 and "page=" in outcome.exchange.path,
    nobody,
)
finds(
    "find-a_list_that_leads_to_itself",
    "A search that was not finished found nobody.",
    said("more than 200 pages"),
    nobody,
)

# One account by its id.

misreads(
    "find-an_unknown_id_is_missing",
    "The server's own words for nobody are a fault.",
    both(status(404), reading, said("no such thing here")),
    K.AMBIGUOUS,
)


class Shows(Tampered):
    """Shows something else of an account that was read."""

    def judged(self, outcome: Outcome) -> Outcome:
        if outcome.kind is not K.OBSERVED or outcome.record is None:
            return outcome
        return replace(outcome, record=self.shown(outcome.record, json.loads(self.last.body)))

    def shown(self, record: Record, body: dict[str, Json]) -> Record:
        del body
        return record


@broken("find-keys_of_no_document_stay_out")
class ShowsWhatNobodyKnows(Shows):
    """A record is the answer, but for secrets."""

    def shown(self, record: Record, body: dict[str, Json]) -> Record:
        return {**{name: value for name, value in body.items() if name != "password"}, **record}


@broken("find-absent_keys_stay_absent")
class FillsInDefaults(Shows):
    """What an answer does not show is empty."""

    def shown(self, record: Record, body: dict[str, Json]) -> Record:
        del body
        return {"given_name": "", "family_name": "", "email": "", **record}


@broken("find-secrets_stay_out")
class ShowsPasswords(Shows):
    """What a server shows of a password is shown."""

    def shown(self, record: Record, body: dict[str, Json]) -> Record:
        return {**record, "password": body["password"]} if "password" in body else record


misreads(
    "find-an_id_may_be_text_or_number",
    "An id in a text is somebody else's.",
    both(reading, kind(K.OBSERVED), lambda _outcome, answer: isinstance(json.loads(answer.body)["id"], str)),
    K.AMBIGUOUS,
)
