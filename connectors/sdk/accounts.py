"""Reading and writing one account below a path, as every REST style does it: check, send, judge.

A value that must not be sent is refused here with nothing sent. Safe from many threads, for different
accounts; never raises for anything a target does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from connectors.sdk.answers import Answer
from connectors.sdk.contract import Descriptor
from connectors.sdk.creation import created_outcome, without
from connectors.sdk.deletion import deleted_outcome
from connectors.sdk.dialect import PLAIN, Dialect
from connectors.sdk.fields import Field, FieldError, encode, encode_all
from connectors.sdk.form import FilePart
from connectors.sdk.model import Json, Outcome, OutcomeKind, Record, Rejection
from connectors.sdk.outcomes import Expected, account_outcome
from connectors.sdk.rest import RestClient
from connectors.sdk.table import FieldTable
from connectors.sdk.text import one_line

NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}")
NOTHING: Final[Record] = MappingProxyType({})
NO_FILES: Final[Mapping[str, FilePart]] = MappingProxyType({})


class AccountCalls:
    """`path` holds `{id}`; `remote_ids` is what an id of this style looks like."""

    def __init__(  # noqa: PLR0913  # each is one way in which styles differ
        self,
        client: RestClient,
        descriptor: Descriptor,
        path: str,
        *,
        id_key: str = "id",
        remote_ids: re.Pattern[str] = NUMBER,
        dialect: Dialect = PLAIN,
    ) -> None:
        self._client = client
        self._fields = FieldTable(descriptor)
        self._document = descriptor.document
        self._path = path
        self._id_key = id_key
        self._remote_ids = remote_ids
        self._dialect = dialect

    @property
    def fields(self) -> Mapping[str, Field]:
        return self._fields

    def encode(self, name: str, value: Json) -> Json:
        """See `Connector.encode`."""
        field = self._fields.get(name)
        if field is None:
            raise FieldError(f"{name}: no field of this API ({self._document})")
        return encode(field, value)

    def path_of(self, remote_id: str) -> str:
        """See `Connector.path_of`: from the root, the base URL's own path included."""
        return self._client.unsent("GET", self._below(remote_id)).path

    def fetch(self, remote_id: str) -> Outcome:
        """See `Connector.fetch`."""
        return self.read(remote_id)[0]

    def below(self, remote_id: str) -> str | None:
        """The account's path below the base URL; None for what is no id of this API."""
        return self._below(remote_id) if self._remote_ids.fullmatch(remote_id) else None

    def read(self, remote_id: str) -> tuple[Outcome, bytes]:
        """As `fetch`, and the body as it came: what is foreign in it must go back untouched."""
        if self._remote_ids.fullmatch(remote_id) is None:
            return self.refused("GET", remote_id, {}, "not an id of this API; nothing was sent"), b""
        answer = self._client.get(self._below(remote_id))
        return account_outcome(answer, self._expected(remote_id, None)), answer.body

    def refusal(self, remote_id: str, changes: Record) -> Outcome | None:
        """What keeps a change from being sent before anything is asked; None where nothing does."""
        if self._remote_ids.fullmatch(remote_id) is None or not changes:
            return self.refused("PATCH", remote_id, {}, "no id of this API or no change; nothing was sent")
        _, wrong = encode_all(self._fields, changes)
        if wrong:
            return self.refused("PATCH", remote_id, wrong, "refused before sending; nothing was sent")
        return None

    def patch(self, remote_id: str, changes: Record, files: Mapping[str, FilePart] = NO_FILES) -> Outcome:
        """See `Connector.patch`. Values are checked once more; one that fails keeps all from leaving.

        The fields named by `files` hold a reference in `changes`; what leaves is the file, in a form.
        """
        path = self._below(remote_id)
        if self._remote_ids.fullmatch(remote_id) is None or not changes:
            return self.refused("PATCH", remote_id, {}, "no id of this API or no change; nothing was sent")
        encoded, wrong = encode_all(self._fields, changes)
        wire, unsayable = self._dialect.sent(encoded)
        if wrong or unsayable:
            refusals = {**unsayable, **wrong}
            return self.refused("PATCH", remote_id, refusals, "refused before sending; nothing was sent")
        answer = self._send(path, wire, files)
        return account_outcome(answer, self._expected(remote_id, encoded))

    def overwrite(self, remote_id: str, values: Record, secret: Record) -> Outcome:
        """Send encoded values, and others that no answer shows and nobody keeps. One write."""
        if self._remote_ids.fullmatch(remote_id) is None:
            return self.refused("PATCH", remote_id, {}, "not an id of this API; nothing was sent")
        answer = self._client.patch(self._below(remote_id), {**values, **secret})
        return account_outcome(without(answer, secret.values()), self._expected(remote_id, values))

    def create(self, path: str, values: Record, secret: Record = NOTHING) -> Outcome:
        """See `Connector.create`. `path` is the collection's; `secret` goes along as in `overwrite`."""
        encoded, wrong = encode_all(self._fields, values)
        wire, unsayable = self._dialect.sent(encoded)
        if wrong or unsayable or not values:
            return self.refused_at("POST", path, {**unsayable, **wrong}, "refused; nothing was sent")
        meant = self._dialect.shown(wire)
        sent = {name: meant.get(name, value) for name, value in encoded.items()}
        answer = without(self._client.post(path, {**wire, **secret}), secret.values())
        return created_outcome(answer, self._expected("", sent))

    def delete(self, remote_id: str) -> Outcome:
        """See `Connector.delete`."""
        if self._remote_ids.fullmatch(remote_id) is None:
            return self.refused("DELETE", remote_id, {}, "not an id of this API; nothing was sent")
        return deleted_outcome(self._client.delete(self._below(remote_id)), self._expected(remote_id, None))

    def refused(self, method: str, remote_id: str, fields: Mapping[str, str], detail: str) -> Outcome:
        """The outcome of what a check before the send kept from leaving: field to message."""
        return self.refused_at(method, self._below(remote_id), fields, detail)

    def refused_at(self, method: str, path: str, fields: Mapping[str, str], detail: str) -> Outcome:
        """As `refused`, for a path below the base URL."""
        rejections = {name: Rejection(one_line(message)) for name, message in fields.items()}
        exchange = self._client.unsent(method, path)
        return Outcome(OutcomeKind.REJECTED, exchange, fields=rejections, detail=detail)

    def _send(self, path: str, wire: Record, files: Mapping[str, FilePart]) -> Answer:
        if not files:
            return self._client.patch(path, wire)
        plain = {name: value for name, value in wire.items() if name not in files}
        return self._client.patch_form(path, plain, files)

    def _expected(self, remote_id: str, sent: Record | None) -> Expected:
        return Expected(self._fields, remote_id, sent, self._id_key, dialect=self._dialect)

    def _below(self, remote_id: str) -> str:
        """The path below the base URL."""
        return self._path.format(id=quote(remote_id, safe=""))
