"""An endpoint that acts on the owner of our token and on nobody else (`/users/me/`).

Whose token it is, is asked once for each reading of the credential and remembered as long as that very
credential is in use; a token of somebody else asks anew. Any other subject is refused with nothing sent.
Safe from many threads; never raises for anything a target does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from connectors.sdk.dialect import Dialect
from connectors.sdk.fields import Field, decode
from connectors.sdk.matching import matches_in, searchable
from connectors.sdk.model import Found, Outcome, OutcomeKind, Page
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient


class OwnAccount:
    """`path` is the endpoint below the base URL."""

    def __init__(
        self, client: RestClient, fields: Mapping[str, Field], path: str, dialect: Dialect, id_key: str = "id"
    ) -> None:
        self._client = client
        self._fields = fields
        self._path = path
        self._dialect = dialect
        self._id_key = id_key
        self._known: tuple[object, str] | None = None  # the credential in use, and whose it is

    def read(self) -> tuple[Outcome, str | None]:
        """The account and its id; the id is None unless the outcome is OBSERVED."""
        session = self._client.session
        outcome, body = document_outcome(self._client.get(self._path))
        if outcome.kind is not OutcomeKind.OBSERVED:
            return outcome, None
        owner = body.get(self._id_key)
        if isinstance(owner, bool) or not isinstance(owner, int | str):
            return dataclasses.replace(
                outcome, kind=OutcomeKind.AMBIGUOUS, detail="the answer is no account"
            ), None
        if session is not None and session is self._client.session:
            self._known = (session, str(owner))
        record = decode(self._fields.values(), self._dialect.shown(body))
        return dataclasses.replace(outcome, record=record), str(owner)

    def refusal(self, method: str, remote_id: str) -> Outcome | None:
        """Why a request about this account must not leave; None where the account is the owner's."""
        outcome, owner = self._owner()
        if owner is None:
            return outcome
        if owner == remote_id:
            return None
        detail = f"this endpoint acts on the token's owner only, which is {owner}; nothing was sent"
        return Outcome(OutcomeKind.REJECTED, self._client.unsent(method, self._path), detail=detail)

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`: the owner, or nobody."""
        values = searchable(self._fields, wanted)
        if not values:
            exchange = self._client.unsent("GET", self._path)
            return Found(Outcome(OutcomeKind.REJECTED, exchange, detail="nothing to search by"))
        outcome, owner = self.read()
        if owner is None or outcome.record is None:
            return Found(outcome)
        return Found(outcome, tuple(matches_in([(owner, outcome.record)], values).values()))

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`: one page of one account."""
        del cursor
        outcome, owner = self.read()
        if owner is None or outcome.record is None:
            return Page(outcome)
        return Page(outcome, ((owner, outcome.record),), total=1)

    def _owner(self) -> tuple[Outcome | None, str | None]:
        known, session = self._known, self._client.session
        if known is not None and known[0] is session:
            return None, known[1]
        return self.read()
