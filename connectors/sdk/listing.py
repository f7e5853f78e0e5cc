"""Django REST framework's `{count, next, previous, results}`: one page, judged like every answer.

A page is whole or worth nothing: an entry that is no object with an id makes it ambiguous, and a `next`
that leads to another origin is refused. Nothing here follows anything by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sdk.dialect import PLAIN, Dialect
from connectors.sdk.fields import Field, decode
from connectors.sdk.model import Json, Outcome, OutcomeKind, Record
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient
from connectors.sdk.text import one_line
from connectors.sdk.urls import ForeignOriginError


@dataclass(frozen=True, slots=True)
class Listing:
    """`next_path` lies below the base URL; None on the last page. `total` is the server's `count`."""

    outcome: Outcome
    accounts: tuple[tuple[str, Record], ...] = ()
    next_path: str | None = None
    total: int | None = None

    @property
    def ok(self) -> bool:
        return self.outcome.kind is OutcomeKind.OBSERVED


def list_page(  # noqa: PLR0913  # each is one way in which listings differ
    client: RestClient,
    fields: Mapping[str, Field],
    path: str,
    query: Mapping[str, str | int] | None = None,
    id_key: str = "id",
    dialect: Dialect = PLAIN,
) -> Listing:
    """One page of accounts."""
    answer = client.get(path, query)
    outcome, body = document_outcome(answer)
    if outcome.kind is not OutcomeKind.OBSERVED:
        return Listing(outcome)
    accounts = accounts_in(body.get("results"), fields, id_key, dialect)
    if accounts is None:
        return broken(outcome, "the answer is no listing of accounts")
    try:
        next_path = _next(client, outcome, body.get("next"))
    except ForeignOriginError as error:
        return broken(outcome, str(error), OutcomeKind.SUSPECT)
    count = body.get("count")
    total = count if isinstance(count, int) and not isinstance(count, bool) else None
    return Listing(outcome, accounts, next_path, total)


def broken(outcome: Outcome, detail: str, kind: OutcomeKind = OutcomeKind.AMBIGUOUS) -> Listing:
    """A listing that answered but cannot be relied on."""
    return Listing(Outcome(kind, outcome.exchange, detail=one_line(detail)))


def _next(client: RestClient, outcome: Outcome, link: Json) -> str | None:
    return client.follow(outcome.exchange, link) if isinstance(link, str) and link else None


def accounts_in(
    results: Json, fields: Mapping[str, Field], id_key: str, dialect: Dialect
) -> tuple[tuple[str, Record], ...] | None:
    """Id and record of each entry; None where the listing is not whole."""
    if not isinstance(results, list):
        return None
    accounts: list[tuple[str, Record]] = []
    for entry in results:
        remote_id = entry.get(id_key) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(remote_id, int | str) or isinstance(remote_id, bool):
            return None
        accounts.append((str(remote_id), decode(fields.values(), dialect.shown(entry))))
    return tuple(accounts)
