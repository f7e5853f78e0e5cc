"""Rekey: HR gives a person another number. The one before stays as an alias, so no event is lost.

Promise: nothing is sent for it, and no account is touched. A number that an event has spoken of, or that
is somebody's alias, is refused: those may be two people.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.engine.again import whole
from worker.engine.changing_people import (
    Asked,
    PersonRefusedError,
    audited,
    require_current,
    require_subjects,
)
from worker.engine.ports import Store, Transaction
from worker.engine.subject_ports import Bearer


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The subject before and after, and the revision, which stays."""

    before: str
    after: str
    revision: int


class Rekeying:
    """Each use case is one transaction of `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, asked: Asked) -> Rekeyed:
        """What `rekey` would do. Raises PersonRefusedError."""
        return audited(self._store, asked, lambda: whole(lambda: self._look(asked)))

    def rekey(self, asked: Asked) -> Rekeyed:
        """Raises PersonRefusedError."""
        return audited(self._store, asked, lambda: whole(lambda: self._rekey(asked)))

    def _look(self, asked: Asked) -> Rekeyed:
        with self._store.begin() as tx:
            return _told(_allowed(tx, asked), asked)

    def _rekey(self, asked: Asked) -> Rekeyed:
        with self._store.begin() as tx:
            bearer = _allowed(tx, asked)
            tx.subjects.rename(bearer, asked.after, asked.by.actor, tx.now)
            tx.audit(asked.entry("rekeyed", {"revision": bearer.identity.revision}, bearer.row))
        return _told(bearer, asked)


def _allowed(tx: Transaction, asked: Asked) -> Bearer:
    require_subjects(asked)
    found = tx.subjects.take([asked.before, asked.after])
    bearer = require_current(found, asked.before)
    other = found.get(asked.after)
    if asked.after == asked.before:
        raise PersonRefusedError("same", f"{asked.after} is the number that they have")
    if other is None or other.row == bearer.row:  # their own alias: HR took it back
        return bearer
    now = other.identity.subject
    if now != asked.after:
        message = f"{asked.after} is an alias of {now}: its events are theirs"
        raise PersonRefusedError("taken", message)
    same = f'if they are one person, `hirewire identity merge {asked.before} {asked.after} --why "…"`'
    raise PersonRefusedError("taken", f"events spoke of {asked.after} already: {same}")


def _told(bearer: Bearer, asked: Asked) -> Rekeyed:
    return Rekeyed(asked.before, asked.after, bearer.identity.revision)
