"""Staging: a file's events are put aside, page by page, for a run that judges them as a whole.

Promise: nothing that is staged acts. A staging that was interrupted is a run that nobody works on; the
next import of the source ends it. A file that is much shorter than the last one, or that cannot tell
who has left, is refused before a run begins; refused rows are audited by their line.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.file_rows import moment
from worker.domain.operator import Principal
from worker.domain.strict_json import Refusal
from worker.engine.accept import STREAM
from worker.engine.import_ports import Snapshot, Staged
from worker.engine.importing import IMPORT, tells_of_everybody
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Entry, Lease, Run, RunState
from worker.engine.runs import OPERATORS, SELF

SAME_ID = Refusal("/id", "stands in this file before")
_BEGINNING_S = 10.0  # two imports of one source do not begin at once


class StagingError(Exception):
    """The import is refused as it was asked for; the message says the way out."""


@dataclass(frozen=True, slots=True)
class File:
    """What is imported. `rows`: its lines name attributes; else they are CloudEvents of the source."""

    source: str
    name: str
    digest: str
    as_of: float
    rows: bool
    complete: bool
    forced: bool

    def as_selection(self) -> dict[str, Json]:
        return {
            "source": self.source,
            "file": self.name,
            "digest": self.digest,
            "as_of": moment(self.as_of),
            "rows": self.rows,
            "complete": self.complete,
            "forced": self.forced,
        }


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that says nothing that could be taken. `subject` where at least that could be read."""

    line: int
    refusal: Refusal
    subject: str | None = None


class Staging:
    """`stale_s`: a staging that got nothing done for so long is nobody's any more."""

    def __init__(self, store: Store, signals: Signals, stale_s: float, shrink_share: float) -> None:
        self._store = store
        self._signals = signals
        self._stale_s = stale_s
        self._shrink_share = shrink_share

    def twin(self, file: File, *, declared: bool) -> Snapshot | None:
        """The import of the same file, if this one would do nothing. `declared`: its time was given."""
        with self._store.begin() as tx:
            found = tx.snapshots.of_digest(file.source, file.digest)
        return found if found is not None and (not declared or found.as_of == file.as_of) else None

    def begin(self, file: File, who: Principal, why: str) -> Run:
        """A run that nobody works on yet. Raises StagingError while another of the source is open."""
        name, token = f"import:{file.source}", uuid.uuid4().hex
        with self._store.begin() as tx:
            if not tx.leases.take(name, Lease(token, tx.now, tx.now + _BEGINNING_S)):
                raise StagingError(f"another import of {file.source} has just begun")
            self._sweep(tx, file.source)
            _check_time(tx, file)
            run = tx.runs.create(IMPORT, file.as_selection(), who.actor, tx.now)
            facts: dict[str, Json] = {"run": run.id, "why": why, **file.as_selection()}
            tx.audit(Entry(OPERATORS, "run:import:staged", who.actor, facts))
            position: dict[str, Json] = {"as_of": file.as_of, "staged_at": tx.now, "complete": file.complete}
            run = replace(run, state=RunState.STAGING, position=position)
            tx.runs.save(run, tx.now)
        with self._store.begin() as tx:
            tx.leases.give_back(name, token)
        return run

    def add(self, run_id: int, rows: Sequence[Staged], bad: Sequence[Bad]) -> list[Bad]:
        """Keep a page; every row of it that was refused, those among them whose id came before."""
        with self._store.begin() as tx:
            run = _staging(tx, run_id)
            kept = tx.staged.add(run_id, rows)
            again = [Bad(row.n, SAME_ID, row.subject) for row in rows if row.n not in kept]
            refused = sorted([*bad, *again], key=_line)
            tx.staged.add(run_id, [Staged(one.line, one.subject) for one in bad if one.subject])
            for one in refused:
                tx.audit(_entry(run, one))
            nameless = any(one.subject is None for one in refused)
            position = {**run.position, "staged_at": tx.now}
            position["refused"] = _number(position, "refused") + len(refused)
            position["complete"] = bool(position["complete"]) and not nameless
            tx.runs.save(replace(run, position=position), tx.now)
        return refused

    def finish(self, run_id: int, *, rehearsal: bool = False) -> Run:
        """The file was read to its end: a worker may judge it. Raises StagingError for one that shrank."""
        with self._store.begin() as tx:
            run = _staging(tx, run_id)
            rows, people = tx.staged.count(run_id)
            shrunk = self._shrunk(tx, run, people)
            position = {**run.position, "rows": rows, "people": people}
            state = RunState.STAGING if rehearsal else RunState.WAITING
            if shrunk and not run.selection["forced"]:
                _end(tx, run, "refused", shrunk)
            else:
                tx.runs.save(replace(run, state=state, position=position), tx.now)
        if shrunk and not run.selection["forced"]:
            raise StagingError(f"{shrunk}; --force imports it all the same")
        if not rehearsal:
            self._signals.run(run_id)
        return replace(run, state=state, position=position)

    def abandon(self, run_id: int, why: str) -> None:
        """Nothing of it is left."""
        with self._store.begin() as tx:
            run = tx.runs.take(run_id)
            if run is not None and run.state == RunState.STAGING:
                _end(tx, run, "abandoned", why)

    def _sweep(self, tx: Transaction, source: str) -> None:
        for run in tx.staged.open_runs():
            if run.selection["source"] != source:
                continue
            if run.state != RunState.STAGING:
                ways = f"`hirewire runs approve {run.id}` or `hirewire runs cancel {run.id}`"
                raise StagingError(
                    f"run {run.id}, an import of {source}, is {run.state} yet: wait, or {ways}"
                )
            if _number(run.position, "staged_at") > tx.now - self._stale_s:
                raise StagingError(f"run {run.id} is reading a file of {source} just now")
            _end(tx, run, "abandoned", "its staging ended without a word")

    def _shrunk(self, tx: Transaction, run: Run, people: int) -> str:
        """Empty: the file names enough people."""
        source = str(run.selection["source"])
        last = tx.snapshots.last(source)
        if last is None or not tells_of_everybody(run) or people >= last.people * (1 - self._shrink_share):
            return ""
        return f"the file names {people} people, the last one of {source} (run {last.run_id}) {last.people}"


def _check_time(tx: Transaction, file: File) -> None:
    last = tx.snapshots.last_complete(file.source) if file.complete else None
    if last is not None and file.as_of <= last.as_of:
        raise StagingError(
            f"run {last.run_id} imported a complete file as of {moment(last.as_of)}: one that is not newer "
            "cannot tell who has left (see --as-of)"
        )


def _staging(tx: Transaction, run_id: int) -> Run:
    run = tx.runs.take(run_id)
    if run is None or run.state != RunState.STAGING:
        raise StagingError(f"run {run_id} was ended meanwhile")
    return run


def _end(tx: Transaction, run: Run, word: str, why: str) -> None:
    tx.staged.forget(run.id)
    tx.audit(Entry(OPERATORS, f"run:import:{word}", SELF, {"run": run.id, "reason": why}))
    tx.runs.save(replace(run, state=RunState.CANCELLED), tx.now)


def _entry(run: Run, bad: Bad) -> Entry:
    facts: dict[str, Json] = {
        "run": run.id,
        "line": bad.line,
        "subject": bad.subject,
        "pointer": bad.refusal.pointer,
        "reason": bad.refusal.reason,
    }
    return Entry(STREAM, "event:import:refused", f"run:{run.id}", facts)


def _line(bad: Bad) -> int:
    return bad.line


def _number(position: Mapping[str, Json], name: str) -> float:
    value = position.get(name)
    return value if isinstance(value, int | float) else 0
