"""Reading and writing one account below a path, as every REST style does it: check, send, judge.

A value that must not be sent is refused here with nothing sent. Safe from many threads, for different
accounts; never raises for anything a target does.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from connectors.sdk.contract import Descriptor
from connectors.sdk.fields import Field, FieldError, encode, encode_all
from connectors.sdk.model import Json, Outcome, OutcomeKind, Record, Rejection
from connectors.sdk.outcomes import Expected, account_outcome
from connectors.sdk.rest import RestClient
from connectors.sdk.text import one_line

NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}")


class AccountCalls:
    """`path` holds `{id}`; `remote_ids` is what an id of this style looks like."""

    def __init__(
        self,
        client: RestClient,
        descriptor: Descriptor,
        path: str,
        *,
        id_key: str = "id",
        remote_ids: re.Pattern[str] = NUMBER,
    ) -> None:
        self._client = client
        self._fields = {field.name: field for field in descriptor.fields}
        self._document = descriptor.document
        self._path = path
        self._id_key = id_key
        self._remote_ids = remote_ids

    @property
    def fields(self) -> dict[str, Field]:
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
        path = self._below(remote_id)
        if self._remote_ids.fullmatch(remote_id) is None:
            return self._refused("GET", path, {}, "not an id of this API; nothing was sent")
        return account_outcome(self._client.get(path), Expected(self._fields, remote_id, None, self._id_key))

    def patch(self, remote_id: str, changes: Record) -> Outcome:
        """See `Connector.patch`. Values are checked once more; one that fails keeps all from leaving."""
        path = self._below(remote_id)
        if self._remote_ids.fullmatch(remote_id) is None or not changes:
            return self._refused("PATCH", path, {}, "no id of this API or no change; nothing was sent")
        encoded, refused = encode_all(self._fields, changes)
        if refused:
            return self._refused("PATCH", path, refused, "refused before sending; nothing was sent")
        expected = Expected(self._fields, remote_id, encoded, self._id_key)
        return account_outcome(self._client.patch(path, encoded), expected)

    def _below(self, remote_id: str) -> str:
        """The path below the base URL."""
        return self._path.format(id=quote(remote_id, safe=""))

    def _refused(self, method: str, path: str, fields: dict[str, str], detail: str) -> Outcome:
        rejections = {name: Rejection(one_line(message)) for name, message in fields.items()}
        exchange = self._client.unsent(method, path)
        return Outcome(OutcomeKind.REJECTED, exchange, fields=rejections, detail=detail)
