"""A reference server in a few lines: accounts in memory behind a plain REST API on loopback.

An author says where the API has its accounts and what it holds beside the fields; the rules for values come
from the field table. Whatever the real server was seen to do otherwise is said by overriding a method: what
nobody observed is only believed, and so the kit proves that the connector agrees with its own table.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import ClassVar, Final, Self
from urllib.parse import urlencode

from connectors.sdk.contract import Credential
from connectors.sdk.fields import Field, FieldType, Null, decode
from connectors.sdk.model import Json, Record
from connectors.sdk.testing.memory_rules import InvalidError, stored, unique_clashes
from connectors.sdk.testing.memory_web import Listener
from connectors.sdk.testing.server import Account, ReferenceServer

TOKEN: Final = "canary-memory-1b9f"  # noqa: S105  # opens nothing but a server of a test
NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})
Row = dict[str, Json]


class MemoryServer(ReferenceServer):
    """`accounts` is the list and `account` one of them; `foreign` is what each holds beside the fields.

    `owner` shows the account of our token, which holds `me`. A set of names is a list of ids in the API:
    `options` tells them, as it tells the connector. `initial` are the values of a new account.
    """

    fields: ClassVar[Sequence[Field]]
    accounts: ClassVar[str]
    account: ClassVar[str]
    owner: ClassVar[str]
    me: ClassVar[Record]
    id_key: ClassVar[str] = "id"
    page_size: ClassVar[int] = 3
    filters: ClassVar[Mapping[str, str]] = MappingProxyType({})  # field -> query parameter
    initial: ClassVar[Record] = NOTHING
    foreign: ClassVar[Mapping[str, Json]] = NOTHING

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._numbers = itertools.count(101)
        self._rows: dict[str, Row] = {}
        self._owner_id = ""
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        self._listener = Listener(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        if self._listener is not None:
            self._listener.close()

    @property
    def base_url(self) -> str:
        """See `ReferenceServer.base_url`."""
        if self._listener is None:
            raise RuntimeError("a reference server is entered before it is used")
        return self._listener.base_url

    def credential(self) -> Credential:
        """See `ReferenceServer.credential`."""
        return Credential("bearer", TOKEN)

    def reset(self, accounts: Sequence[Account]) -> Mapping[str, str]:
        """See `ReferenceServer.reset`."""
        with self._lock:
            self._rows.clear()
            self._owner_id = self._add(self.me)
            return {account.key: self._add(account.values) for account in accounts}

    def rows(self) -> Mapping[str, Mapping[str, Json]]:
        """See `ReferenceServer.rows`."""
        with self._lock:
            return {remote_id: {**row, **self._decoded(row)} for remote_id, row in self._rows.items()}

    # What the API answers: override what the real one does in its own way.

    def listing(self, rows: Sequence[Row], query: Mapping[str, str], url: str) -> Json:
        """One page of all rows that the filters left; `url` is the address of the list."""
        number, size = int(query.get("page", 1)), int(query.get("page_size", self.page_size))
        more = number * size < len(rows)
        shown: list[Json] = [self.shown(row) for row in rows[(number - 1) * size : number * size]]
        following = self.page_link(url, {**query, "page": str(number + 1)}) if more else None
        return {"count": len(rows), "next": following, "previous": None, "results": shown}

    def page_link(self, url: str, query: Mapping[str, str]) -> str:
        """The address of another page."""
        return f"{url}?{urlencode(query)}"

    def shown(self, row: Row) -> Json:
        """An account as the API shows it: no secret of it."""
        secret = {field.name for field in self.fields if field.write_only}
        return {name: value for name, value in row.items() if name not in secret}

    def new_id(self) -> Json:
        """An id that nobody had."""
        return next(self._numbers)

    # What the HTTP side asks.

    def all(self, query: Mapping[str, str]) -> list[Row]:
        """The rows that the filters of a query leave, in the order of ids; an unknown filter is ignored."""
        asked = {name: query[parameter] for name, parameter in self.filters.items() if parameter in query}
        with self._lock:
            rows = [dict(row) for row in self._rows.values()]
        return [row for row in rows if all(_said(row.get(name)) == text for name, text in asked.items())]

    def one(self, remote_id: str) -> Row | None:
        with self._lock:
            return self._rows.get(remote_id)

    def of_token(self) -> str:
        """The remote id of the account that our token belongs to."""
        with self._lock:
            return self._owner_id

    def change(self, remote_id: str, values: Record) -> Row | None:
        """The row after the change; None for nobody. Raises `InvalidError`, and then changes nothing."""
        with self._lock:
            row = self._rows.get(remote_id)
            if row is None:
                return None
            row.update(self._valid(values, row))
            return row

    def make(self, values: Record) -> Row:
        """A new row. Raises `InvalidError`."""
        with self._lock:
            blank = {**self._blank(), **self.initial, **self.foreign}
            row = {**blank, **self._valid(values, blank)}
            missing = [field.name for field in self.fields if field.unique and not row.get(field.name)]
            if missing:
                raise InvalidError(dict.fromkeys(missing, "This field is required."))
            return self._kept(row)

    def remove(self, remote_id: str) -> bool:
        with self._lock:
            return self._rows.pop(remote_id, None) is not None

    def _add(self, values: Record) -> str:
        row = self._kept({**self._blank(), **self.initial, **self.foreign, **self._wire(values)})
        return str(row[self.id_key])

    def _kept(self, row: Row) -> Row:
        row[self.id_key] = self.new_id()
        self._rows[str(row[self.id_key])] = row
        return row

    def _valid(self, values: Record, row: Row) -> Row:
        changed = stored(self.fields, self.options, values, row)
        others = [other for other in self._rows.values() if other is not row]
        clashes = unique_clashes(self.fields, changed, others)
        if clashes:
            raise InvalidError(clashes)
        return changed

    def _blank(self) -> Row:
        return {field.name: _nothing_in(field) for field in self.fields if field.name != self.id_key}

    def _wire(self, values: Record) -> Row:
        """Values by field name as the API has them: names are ids."""
        return {
            field.name: self._ids(field.name, values[field.name]) if _is_set(field) else values[field.name]
            for field in self.fields
            if field.name in values
        }

    def _decoded(self, row: Row) -> dict[str, Json]:
        named = {
            field.name: self._names(field.name, row.get(field.name))
            for field in self.fields
            if _is_set(field)
        }
        return decode(self.fields, {**row, **named})

    def _ids(self, field: str, names: Json) -> Json:
        table = _table(self.options, field)
        return [table[str(name)] for name in names] if isinstance(names, list) else names

    def _names(self, field: str, ids: Json) -> Json:
        names = {number: name for name, number in _table(self.options, field).items()}
        return [names[number] for number in ids] if isinstance(ids, list) else ids


def _is_set(field: Field) -> bool:
    return field.type is FieldType.NAME_SET


def _table(options: Mapping[str, Json], field: str) -> dict[str, Json]:
    table = options.get(field, {})
    return table if isinstance(table, dict) else {}


def _nothing_in(field: Field) -> Json:
    match field.type:
        case FieldType.BOOLEAN:
            return False
        case FieldType.NAME_SET | FieldType.ID_SET:
            return []
        case FieldType.OBJECT:
            return {}
        case FieldType.TEXT if field.null_as is not Null.NULL:
            return ""
        case _:
            return None


def _said(value: Json) -> str:
    """A value as a query says it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
