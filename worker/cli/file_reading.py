"""HR files for an import: NDJSON and CSV of any size, in bounded memory, each row named by its line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from config.sections import Source
from connectors.sdk.model import Json
from worker.cli.failures import UsageError
from worker.cli.lines import Line, lines
from worker.cli.output import nearest
from worker.domain.event import Event, as_object
from worker.domain.file_rows import ENVELOPE, SUBJECT, RowReader, default_columns
from worker.domain.strict_json import Limits, Refusal, RefusedError, parse
from worker.engine.import_ports import Staged
from worker.engine.staging import Bad

_CHUNK = 1 << 20
_FOREIGN = Refusal("/source", "is another source than --source names")
_NOT_TEXT = Refusal("", "holds bytes that are not text in the file's encoding")


class Door(Protocol):
    """Reads an event as it would be stored; `worker.engine.accept.Intake` is one."""

    def read(self, raw: bytes) -> Event: ...


@dataclass(frozen=True, slots=True)
class Read:
    """One line: staged, or refused. `read` is how many bytes of the file were read up to its end."""

    what: Staged | Bad
    read: int


@dataclass(frozen=True, slots=True)
class How:
    """What a file is read with. `columns` is what was said of them; the others go by their own names."""

    path: Path
    name: str
    source: Source
    columns: Mapping[str, str]
    as_of: str
    limits: Limits

    @property
    def is_csv(self) -> bool:
        return self.path.suffix.lower() == ".csv"

    def reader(self, there: list[str]) -> RowReader:
        """For rows with these columns. Raises UsageError where one that is needed is missing."""
        reader = self.reader_of(there)
        if reader.columns[SUBJECT] not in there and SUBJECT not in self.columns:
            raise UsageError(f"{self.path}: no column says who a row is about: --map subject=COLUMN")
        missing = [column for column in reader.columns.values() if column not in there]
        if missing:
            words = (f"{self.path}: has no column {name!r}{nearest(name, there)}" for name in missing)
            raise UsageError("\n".join(words))
        return reader

    def reader_of(self, keys: Collection[str]) -> RowReader:
        """For one row with these keys, whatever it lacks."""
        own = [name for name in keys if name in ENVELOPE or self.source.owns(name)]
        columns = {SUBJECT: SUBJECT, **default_columns(own, self.columns)}
        return RowReader(self.source.uri, columns, self.source.rows, self.as_of)


def digest_of(path: Path, how: Mapping[str, Json]) -> str:
    """Of the file's bytes, and of how they are to be read."""
    found = hashlib.sha256(json.dumps(how, sort_keys=True).encode())
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            found.update(piece)
    return found.hexdigest()


def holds_rows(how: How) -> bool:
    """Whether the lines are plain rows; else each is a CloudEvent. Decided by the first one."""
    if how.is_csv:
        return True
    with how.path.open("rb") as stream:
        first = next(lines(stream, how.limits.max_bytes), None)
    if first is None:
        raise UsageError(f"{how.path}: is empty")
    try:
        return "specversion" not in as_object(parse(first.raw, how.limits))
    except RefusedError:
        return bool(how.columns)


def read_file(how: How, door: Door, *, rows: bool) -> Iterator[Read]:
    """Every line that is not blank, in order."""
    with how.path.open("rb") as stream:
        found = _csv(how, door, stream) if how.is_csv else _ndjson(how, door, stream, rows=rows)
        yield from found


def _ndjson(how: How, door: Door, stream: IO[bytes], *, rows: bool) -> Iterator[Read]:
    for line in lines(stream, how.limits.max_bytes):
        subject: str | None = None
        try:
            body = as_object(parse(line.raw, how.limits))
            if rows:
                reader = how.reader_of(body)
                subject = reader.subject(body)
                what = _staged(how, door, line.number, reader.event(body))
            else:
                subject = _named(body)
                what = _checked(how, door, line.number, line.raw.decode())
        except RefusedError as error:
            yield Read(Bad(line.number, _too_long(how, line) or error.refusal, _kept(subject)), line.read)
        else:
            yield Read(what, line.read)


def _too_long(how: How, line: Line) -> Refusal | None:
    words = f"is longer than the limit of {how.limits.max_bytes} bytes"
    return Refusal("", words) if line.too_long else None


def _named(body: Mapping[str, Json]) -> str | None:
    subject = body.get("subject")
    return subject if isinstance(subject, str) else None


def _staged(how: How, door: Door, number: int, event: Mapping[str, Json]) -> Staged:
    return _checked(how, door, number, json.dumps(event, ensure_ascii=False))


def _checked(how: How, door: Door, number: int, body: str) -> Staged:
    event = door.read(body.encode("utf-8", "surrogatepass"))
    if event.source != how.name:
        raise RefusedError(_FOREIGN)
    return Staged(number, event.subject, event.id, body)


def _kept(subject: str | None) -> str | None:
    """A name that rows can be compared by; what cannot be stored names nobody."""
    if subject is None or not subject.strip() or "\x00" in subject:
        return None
    return None if any("\ud800" <= char <= "\udfff" for char in subject) else subject


class _Text:
    """The lines of a file as text, none of them longer than the limit; counts them."""

    def __init__(self, stream: IO[bytes], encoding: str, limit: int) -> None:
        name = "utf-8-sig" if encoding == "utf-8" else encoding
        self._text = io.TextIOWrapper(stream, name, errors="surrogateescape", newline="")
        self._limit = limit
        self.number = 0
        self.cut = False

    def let_go(self) -> None:
        """The stream is closed by whoever opened it."""
        self._text.detach()

    def __iter__(self) -> Iterator[str]:
        while piece := self._text.readline(self._limit):
            self.number += 1
            whole = piece
            while not piece.endswith("\n") and (piece := self._text.readline(self._limit)):
                self.cut = True
            yield whole


def _csv(how: How, door: Door, stream: IO[bytes]) -> Iterator[Read]:
    text = _Text(stream, how.source.rows.encoding, how.limits.max_bytes)
    try:
        yield from _records(how, door, stream, text)
    finally:
        text.let_go()


def _records(how: How, door: Door, stream: IO[bytes], text: _Text) -> Iterator[Read]:
    records = csv.reader(text, delimiter=how.source.rows.delimiter, strict=True)
    header = _header(how, records)
    reader = how.reader(header)
    while True:
        first = text.number + 1
        text.cut = False
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield Read(
                Bad(first, Refusal("", f"is no CSV, up to line {text.number}: {error}")), stream.tell()
            )
            continue
        if cells:
            yield Read(_row(how, door, _Record(first, header, cells, text.cut), reader), stream.tell())


def _header(how: How, records: Iterator[list[str]]) -> list[str]:
    try:
        names = [name.strip() for name in next(records, [])]
    except csv.Error as error:
        raise UsageError(f"{how.path}: its first line is no CSV: {error}") from None
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise UsageError(f"{how.path}: two columns are called {', '.join(map(repr, twice))}")
    if not any(names):
        raise UsageError(f"{how.path}: its first line has to name the columns")
    return names


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    header: list[str]
    cells: list[str]
    cut: bool


def _row(how: How, door: Door, record: _Record, reader: RowReader) -> Staged | Bad:
    row: dict[str, Json] = dict(zip(record.header, record.cells, strict=False))
    bad = Bad(record.line, _NOT_TEXT, _kept(reader.subject(row)))
    if record.cut:
        return replace(bad, refusal=Refusal("", f"has a line above {how.limits.max_bytes} characters"))
    if len(record.cells) != len(record.header):
        words = f"has {len(record.cells)} cells, the first line has {len(record.header)}"
        return Bad(record.line, Refusal("", words))
    if any("\udc80" <= char <= "\udcff" for cell in record.cells if not cell.isascii() for char in cell):
        return bad
    try:
        return _staged(how, door, record.line, reader.event(row))
    except RefusedError as error:
        return replace(bad, refusal=error.refusal)
