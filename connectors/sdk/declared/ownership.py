"""Whose token ours is, and what its owner may do: how an API tells, as an object to declare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

from connectors.sdk.answers import Answer
from connectors.sdk.contract import Descriptor
from connectors.sdk.declared.search import DeclaredSearch
from connectors.sdk.diagnosis import failed_report
from connectors.sdk.fields import decode
from connectors.sdk.model import CheckReport, Outcome, OutcomeKind, Record
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient

NO_ACCOUNT: Final = "the answer is no account"
WHOSE: Final = (
    "This API does not tell whose the token is: name its owner in `protected`, so that no event changes or"
    " deactivates them."
)


class Ownership(Protocol):
    """One way of telling. Both read only; neither raises."""

    def probe(self, client: RestClient, search: DeclaredSearch) -> Outcome:
        """One cheap read: OBSERVED when target and token are well."""

    def report(self, client: RestClient, search: DeclaredSearch, descriptor: Descriptor) -> CheckReport:
        """See `Connector.check`. At most four reads."""


@dataclass(frozen=True, slots=True)
class OwnerAt:
    """An endpoint shows the token's owner, who has to have one of `rights`, if any is named."""

    path: str
    rights: tuple[str, ...] = ()

    def probe(self, client: RestClient, search: DeclaredSearch) -> Outcome:
        """See `Ownership.probe`."""
        outcome, me = _account(client.get(self.path), search.id_key)
        return outcome if me is not None else _not(outcome)

    def report(self, client: RestClient, search: DeclaredSearch, descriptor: Descriptor) -> CheckReport:
        """See `Ownership.report`. Two reads: the owner, and what the list shows of an account."""
        answer = client.get(self.path)
        outcome, me = _account(answer, search.id_key)
        if me is None:
            return failed_report(answer, _not(outcome), client.base_url, _root(self.path), client.scheme)
        record = decode(descriptor.fields, me)
        owner = str(record.get(descriptor.correlation))
        rights = tuple(name for name in self.rights if record.get(name) is True)
        problems = () if rights or not self.rights else (_powerless(owner, self.rights),)
        report = CheckReport(
            reachable=True,
            healthy=not problems,
            owner=owner,
            owner_id=str(me[search.id_key]),
            rights=rights,
            missing=() if rights else self.rights,
            problems=problems,
        )
        return _with_list(report, client, search)


@dataclass(frozen=True, slots=True)
class OwnerByName:
    """The API does not tell whose a token is; with a user name and a password the owner is looked up."""

    rights: tuple[str, ...] = ()

    def probe(self, client: RestClient, search: DeclaredSearch) -> Outcome:
        """See `Ownership.probe`: the first page of the list."""
        del client
        return search.page(search.first_page).outcome

    def report(self, client: RestClient, search: DeclaredSearch, descriptor: Descriptor) -> CheckReport:
        """See `Ownership.report`. That accounts may be changed shows with the first change."""
        report = _with_list(CheckReport(reachable=True, healthy=True), client, search)
        username = client.username
        if not report.healthy:
            return report
        if username is None:
            return replace(report, notes=(WHOSE,))
        start = search.asked(descriptor.correlation, username) or search.first_page
        named = [
            (remote_id, record)
            for remote_id, record in search.page(start).accounts
            if record.get(descriptor.correlation) == username
        ]
        if len(named) != 1:
            return replace(report, owner=username)
        remote_id, record = named[0]
        rights = tuple(name for name in self.rights if record.get(name) is True)
        return replace(report, owner=username, owner_id=remote_id, rights=rights)


def _with_list(report: CheckReport, client: RestClient, search: DeclaredSearch) -> CheckReport:
    """The report with what the first account of the list shows; a list that fails is the whole report."""
    answer = client.get(search.first_page)
    listing = search.judged(search.first_page, answer)
    if not listing.ok:
        return failed_report(answer, listing.outcome, client.base_url, _root(search.path), client.scheme)
    shown = [frozenset(record) for _, record in listing.accounts]
    return replace(report, shown=shown[0] if shown else None)


def _account(answer: Answer, id_key: str) -> tuple[Outcome, Record | None]:
    """The account that an answer shows; None where it shows none."""
    outcome, body = document_outcome(answer)
    remote_id = body.get(id_key)
    known = isinstance(remote_id, int | str) and not isinstance(remote_id, bool)
    return outcome, body if known else None


def _not(outcome: Outcome) -> Outcome:
    """An answer that came back well and is no account."""
    if outcome.kind is not OutcomeKind.OBSERVED:
        return outcome
    return Outcome(OutcomeKind.AMBIGUOUS, outcome.exchange, detail=NO_ACCOUNT)


def _root(path: str) -> str:
    return f"set `base_url` so that {path} lies directly below it."


def _powerless(owner: str, rights: tuple[str, ...]) -> str:
    return (
        f"{owner}, who owns the token, has none of the rights {', '.join(rights)}: such a token changes no"
        " other account. Use a token of an owner who has one of them."
    )
