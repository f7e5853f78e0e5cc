"""Writing an account that has a picture: a form when new bytes go out, JSON for everything else.

What a target shows of a picture is an address, so the bytes last sent are known by their digest: the same
bytes are not sent again while the target shows any picture. A form cannot say null and the empty list; with
one of these the other fields go first, as JSON, and the picture follows only once they are applied.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.fields import FieldError
from connectors.sdk.form import fits_form
from connectors.sdk.model import Json, Outcome, OutcomeKind, Record
from connectors.sdk.pictures import Picture, PictureError, Pictures

TAKEN: Final = frozenset({OutcomeKind.APPLIED, OutcomeKind.NOT_APPLIED, OutcomeKind.UNVERIFIED})


class PictureWrites:
    """`field` is the opaque one; its value is a reference, or None to take the picture away."""

    def __init__(self, accounts: AccountCalls, pictures: Pictures, field: str) -> None:
        self._accounts = accounts
        self._pictures = pictures
        self._field = field

    def encode(self, name: str, value: Json) -> Json:
        """See `Connector.encode`. A reference is checked without looking behind it."""
        encoded = self._accounts.encode(name, value)
        if name == self._field and isinstance(encoded, str):
            try:
                self._pictures.check(encoded)
            except PictureError as error:
                raise FieldError(f"{name}: {error}") from None
        return encoded

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str]) -> Outcome:
        """See `Connector.patch`. A picture that cannot be had keeps all from leaving."""
        reference = changes.get(self._field)
        if not isinstance(reference, str):
            return self._accounts.patch(remote_id, changes)
        try:
            picture = self._pictures.load(reference.strip())
        except PictureError as error:
            refusal = {self._field: f"{self._field}: {error}"}
            return self._accounts.refused("PATCH", remote_id, refusal, "no picture to send; nothing was sent")
        rest = {name: value for name, value in changes.items() if name != self._field}
        if digests.get(self._field) == picture.digest:
            return self._unchanged(remote_id, rest, reference, picture)
        return self._changed(remote_id, rest, reference, picture)

    def _changed(self, remote_id: str, rest: Record, reference: str, picture: Picture) -> Outcome:
        if fits_form(rest):
            return self._sent(remote_id, {**rest, self._field: reference}, picture)
        first = self._accounts.patch(remote_id, rest)
        if first.kind is not OutcomeKind.APPLIED:
            return first
        return self._sent(remote_id, {self._field: reference}, picture)

    def _unchanged(self, remote_id: str, rest: Record, reference: str, picture: Picture) -> Outcome:
        """The bytes are those of last time: sent again only where the target shows no picture any more."""
        outcome = (
            self._accounts.patch(remote_id, rest) if rest else _as_write(self._accounts.fetch(remote_id))
        )
        if outcome.kind is not OutcomeKind.APPLIED or outcome.record is None:
            return outcome
        if self._field not in outcome.record:
            detail = f"the answer does not show {self._field}"
            return dataclasses.replace(
                outcome, kind=OutcomeKind.UNVERIFIED, wrong=(self._field,), detail=detail
            )
        if outcome.record[self._field] is None:
            return self._sent(remote_id, {self._field: reference}, picture)
        return self._told(outcome, picture)

    def _sent(self, remote_id: str, changes: Record, picture: Picture) -> Outcome:
        outcome = self._accounts.patch(remote_id, changes, {self._field: picture.file})
        ignored = outcome.kind is OutcomeKind.NOT_APPLIED and self._field in outcome.wrong
        return outcome if ignored or outcome.kind not in TAKEN else self._told(outcome, picture)

    def _told(self, outcome: Outcome, picture: Picture) -> Outcome:
        return dataclasses.replace(outcome, digests={self._field: picture.digest})


def _as_write(read: Outcome) -> Outcome:
    """A read that shows that nothing is left to send."""
    if read.kind is not OutcomeKind.OBSERVED:
        return read
    return dataclasses.replace(read, kind=OutcomeKind.APPLIED)
