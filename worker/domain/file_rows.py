"""Rows of HR files: one person on each, turned into an event in the words of Hirewire. Pure.

The event's id is made of the source, the time the row speaks of and the person, never of the content
alone: the same row of another day is another event, and the same file again is the same events.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.attributes import known
from worker.domain.event import CHANGED
from worker.domain.strict_json import Refusal, RefusedError, escape

SUBJECT, TIME, TYPE, SEQUENCE = "subject", "time", "type", "sequence"
ENVELOPE = (SUBJECT, TIME, TYPE, SEQUENCE)
"""Columns that are not about the person but about the row."""

_DATES = frozenset({"start_date", "end_date"})
_LISTS = frozenset({"groups"})
_FLAGS = frozenset({"active"})


class Reading(Protocol):
    """How a source's rows are read; `config.settings.Rows` is one."""

    @property
    def empty(self) -> str: ...
    @property
    def yes(self) -> Sequence[str]: ...
    @property
    def no(self) -> Sequence[str]: ...
    @property
    def date_format(self) -> str: ...
    @property
    def list_separator(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RowReader:
    """`columns` is attribute, or a word of ENVELOPE, to column; `as_of` is the time of rows without one."""

    uri: str
    columns: Mapping[str, str]
    rules: Reading
    as_of: str

    def subject(self, row: Mapping[str, Json]) -> str | None:
        """Who the row is about, if it says so in any readable way."""
        said = row.get(self.columns[SUBJECT])
        if isinstance(said, int) and not isinstance(said, bool):
            return str(said)
        return said.strip() or None if isinstance(said, str) else None

    def event(self, row: Mapping[str, Json]) -> dict[str, Json]:
        """A CloudEvent whose data names attributes. Raises RefusedError with the column's name."""
        subject = self.subject(row)
        if subject is None:
            raise RefusedError(Refusal(_place(self.columns[SUBJECT]), "names nobody"))
        time = self._envelope(row, TIME) or self.as_of
        event: dict[str, Json] = {
            "specversion": "1.0",
            "id": _id(self.uri, time, subject, "row"),
            "source": self.uri,
            "type": self._envelope(row, TYPE) or CHANGED,
            "subject": subject,
            "time": time,
            "data": self._data(row),
        }
        sequence = self._envelope(row, SEQUENCE)
        return event if sequence is None else {**event, "sequence": sequence}

    def _envelope(self, row: Mapping[str, Json], word: str) -> str | None:
        said = row.get(self.columns.get(word, ""))
        return (str(said).strip() or None) if isinstance(said, str | int) else None

    def _data(self, row: Mapping[str, Json]) -> dict[str, Json]:
        data: dict[str, Json] = {}
        for name, column in self.columns.items():
            if name in ENVELOPE or column not in row:
                continue
            value = row[column]
            if isinstance(value, str):
                value = value.strip()
                if not value and self.rules.empty == "unsaid":
                    continue
                value = self._value(name, column, value)
            data[name] = value
        return data

    def _value(self, name: str, column: str, text: str) -> Json:
        if not text:
            return None
        if name in _FLAGS:
            return _flag(text, column, self.rules)
        if name in _DATES:
            return _date(text, column, self.rules.date_format)
        if name in _LISTS:
            parts = (part.strip() for part in text.split(self.rules.list_separator))
            return [part for part in parts if part]
        return text


def default_columns(there: Collection[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What is not mapped is taken by its own name, where a column has it."""
    taken = set(wanted.values())
    own = {name: name for name in there if name not in taken and (known(name) or name in ENVELOPE)}
    return {**own, **wanted}


def absent_id(uri: str, run_id: int, subject: str) -> str:
    """Of the event that somebody has left because two complete files did not name them."""
    return _id(uri, str(run_id), subject, "absent")


def moment(at: float) -> str:
    """RFC 3339 in UTC, to the microsecond where there are any."""
    return dt.datetime.fromtimestamp(at, dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def _id(uri: str, when: str, subject: str, what: str) -> str:
    text = json.dumps([uri, when, subject], ensure_ascii=True)
    return f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _flag(text: str, column: str, rules: Reading) -> bool:
    word = text.casefold()
    if word in {said.casefold() for said in rules.yes}:
        return True
    if word in {said.casefold() for said in rules.no}:
        return False
    raise RefusedError(Refusal(_place(column), "is neither a word for yes nor one for no"))


def _date(text: str, column: str, form: str) -> str:
    try:
        return dt.datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day without a clock
    except ValueError:
        raise RefusedError(Refusal(_place(column), f"is not a date in the form {form}")) from None


def _place(column: str) -> str:
    return f"/{escape(column)}"
