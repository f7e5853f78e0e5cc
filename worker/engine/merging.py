"""Merge: two identities turn out to be one person, rehired under a new number for example.

Promise: what was said of either counts for the one that remains, by the rules by which events count; an
account that a worker has in hand is not touched; nobody's link is replaced by another one. Whatever the
merge brings about is sent by the next sync after a read, under every guard.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.sdk.model import Json
from worker.domain.dates import Dates
from worker.domain.identity import Asserted
from worker.domain.one_account import Fate, Joined, joined
from worker.domain.one_person import Merged, merged
from worker.domain.strict_json import digest
from worker.engine.again import whole
from worker.engine.changing_people import (
    Asked,
    PersonRefusedError,
    audited,
    require_current,
    require_subjects,
)
from worker.engine.fold import NORMAL, URGENT
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Due, Entry
from worker.engine.subject_ports import Bearer, Pair

_LOOK_EVERY_S = 0.2
_MOST = 10_000  # targets, more than anybody configures


@dataclass(frozen=True, slots=True)
class Said:
    """One attribute, as it was said of each of them and as it is afterwards. None: never said."""

    name: str
    gone: Asserted | None
    into: Asserted | None
    after: Asserted

    @property
    def agrees(self) -> bool:
        return self.gone is not None and self.into is not None and self.gone.value == self.into.value

    @property
    def moves(self) -> bool:
        """Whether the remaining person's value changes."""
        return self.into is None or self.into.value != self.after.value


@dataclass(frozen=True, slots=True)
class Place:
    """One target: the links of both, and what becomes of the remaining person's account."""

    target: str
    gone: str | None
    into: str | None
    fate: Fate


@dataclass(frozen=True, slots=True)
class MergeLook:
    """What a merge does. `revision` is the remaining person's afterwards."""

    gone: str
    into: str
    revision: int
    said: tuple[Said, ...]
    places: tuple[Place, ...]

    @property
    def leaves(self) -> bool:
        """Whether the merge makes a leaver of somebody who is none."""
        return any(one.name == "active" and one.moves and one.after.value is False for one in self.said)

    @property
    def hash(self) -> str:
        """Of all that somebody is shown and decides on; of values the events, for some are masked."""
        said: list[Json] = [[one.name, _row(one.gone), _row(one.into), _row(one.after)] for one in self.said]
        places: list[Json] = [[one.target, one.gone, one.into, one.fate.value] for one in self.places]
        return digest([self.gone, self.into, self.revision, said, places])


def _row(said: Asserted | None) -> int | None:
    return None if said is None else said.event


@dataclass(frozen=True, slots=True)
class _Both:
    gone: Bearer
    into: Bearer
    result: Merged
    joins: tuple[tuple[Pair, Joined], ...]


class Merging:
    """`patience_s` is how long a worker that has one of the accounts in hand is waited for."""

    def __init__(self, store: Store, signals: Signals, dates: Dates, shards: int, patience_s: float) -> None:
        self._store = store
        self._signals = signals
        self._dates = dates
        self._shards = shards
        self._patience_s = patience_s

    def look(self, asked: Asked) -> MergeLook:
        """What `merge` would do. Raises PersonRefusedError."""
        return audited(self._store, asked, lambda: whole(lambda: self._look(asked)))

    def look_again(self, asked: Asked, shown: str) -> MergeLook:
        """As `look`; refused where its hash does not begin with `shown`, as that of what was shown did."""
        return audited(self._store, asked, lambda: _as_shown(whole(lambda: self._look(asked)), shown))

    def merge(self, asked: Asked, seen: MergeLook) -> None:
        """As it was looked at. Raises PersonRefusedError, also for what changed meanwhile."""
        audited(self._store, asked, lambda: self._when_free(asked, seen))
        for shard in range(self._shards):
            self._signals.sync(shard)

    def _look(self, asked: Asked) -> MergeLook:
        with self._store.begin() as tx:
            both = _both(tx, asked, make=False)
            return _told(both)

    def _when_free(self, asked: Asked, seen: MergeLook) -> None:
        """As soon as no worker has an account of theirs in hand and nothing that was sent is in doubt."""
        until = time.monotonic() + self._patience_s
        while busy := whole(lambda: self._try(asked, seen)):
            if time.monotonic() >= until:
                raise PersonRefusedError("busy", f"{busy}: nothing was merged, try again in a moment")
            time.sleep(_LOOK_EVERY_S)

    def _try(self, asked: Asked, seen: MergeLook) -> str:
        """Empty: it is done. Else why nothing can be done now."""
        with self._store.begin() as tx:
            both = _both(tx, asked, make=True)
            if busy := _busy(both.joins):
                return busy
            if _told(both) != seen:
                raise PersonRefusedError("changed", "something changed meanwhile: look at it again")
            self._do(tx, both, asked)
        return ""

    def _do(self, tx: Transaction, both: _Both, asked: Asked) -> None:
        person = both.result.identity
        tx.subjects.retire(both.gone, Bearer(both.into.row, person), asked.by.actor, tx.now)
        tx.identities.save({both.into.row: person}, {both.into.row: self._dates.wake_at(person, tx.now)})
        for _, one in both.joins:
            if one.fate is not Fate.STAYS:
                tx.subjects.write(one.account)
        rank = URGENT if self._dates.gone(person, tx.now) else NORMAL
        places = sorted({one.account.target_id for _, one in both.joins})
        tx.accounts.make_due([Due(both.into.row, rank, tx.now)], places, tx.now)
        tx.accounts.require_read({"subjects": [person.subject]}, 0, _MOST, tx.now)
        for entry in _entries(both, asked):
            tx.audit(entry)


def _as_shown(seen: MergeLook, shown: str) -> MergeLook:
    if not seen.hash.startswith(shown):
        raise PersonRefusedError("changed", "what was shown is not so any more: look at it again")
    return seen


def _both(tx: Transaction, asked: Asked, *, make: bool) -> _Both:
    """Both people and all their accounts, locked. Raises PersonRefusedError."""
    require_subjects(asked)
    found = tx.subjects.take([asked.before, asked.after])
    gone, into = require_current(found, asked.before), require_current(found, asked.after)
    if gone.row == into.row:
        raise PersonRefusedError("same", f"{asked.before} and {asked.after} are one person already")
    if make:
        tx.subjects.make(into, gone)
    pairs = tx.subjects.pairs(into, gone)
    joins = tuple((pair, joined(pair.into, pair.gone, pair.decided)) for pair in pairs)
    _require_one_link(joins, asked)
    return _Both(gone, into, merged(into.identity, gone.identity), joins)


def _require_one_link(joins: Iterable[tuple[Pair, Joined]], asked: Asked) -> None:
    refused = [_refusal(pair, one.fate, asked) for pair, one in joins if one.fate.refused]
    if refused:
        raise PersonRefusedError("linked", "\n".join(refused))


def _refusal(pair: Pair, fate: Fate, asked: Asked) -> str:
    who, other, place = asked.before, asked.after, pair.target
    if fate is Fate.TWO:
        return (
            f"{place}: {who} is linked to {pair.gone.remote_id} and {other} to {pair.into.remote_id}: "
            f"`hirewire account unlink` the one that is not to be theirs"
        )
    return (
        f"{place}: somebody took the link of {other} away, and the merge would link them to "
        f"{pair.gone.remote_id}: `hirewire account unlink {who} --target {place}`, or "
        f"`hirewire held retry {other} --target {place}`, first"
    )


def _busy(joins: Iterable[tuple[Pair, Joined]]) -> str:
    """Why what has to be written may not be written now."""
    for pair, one in joins:
        ours = one.fate is not Fate.STAYS
        if pair.gone_leased or (ours and pair.into_leased):
            return f"a worker has an account of theirs at {pair.target} in hand"
        if pair.gone.doubt is not None or (ours and pair.into.doubt is not None):
            return f"nobody knows yet what became of the last request to {pair.target}"
    return ""


def _told(both: _Both) -> MergeLook:
    before, after = both.into.identity, both.result.identity
    said = tuple(
        Said(name, both.gone.identity.attributes.get(name), before.attributes.get(name), held)
        for name, held in sorted(after.attributes.items())
    )
    places = tuple(
        Place(pair.target, pair.gone.remote_id, pair.into.remote_id, one.fate) for pair, one in both.joins
    )
    return MergeLook(both.gone.identity.subject, before.subject, after.revision, said, places)


def _entries(both: _Both, asked: Asked) -> list[Entry]:
    """The merge, of either of them; and each link that moved, in the target's stream. No values."""
    person, links = both.result.identity, [*_links(both)]
    facts: dict[str, Json] = {
        "identity": both.into.row,
        "merged": both.gone.row,
        "revision": person.revision,
        "agrees": [one.name for one in _told(both).said if one.agrees],
        "changed": {name: person.attributes[name].event for name in both.result.changed},
        "links": links,
    }
    told = [asked.entry("merged", facts, both.into.row), asked.entry("gone", {}, both.gone.row)]
    return [*told, *(_moved(pair, one, both, asked) for pair, one in _moves(both.joins))]


def _links(both: _Both) -> Sequence[Json]:
    return [
        {"target": pair.target, "remote_id": one.account.remote_id, "fate": one.fate.value}
        for pair, one in both.joins
    ]


def _moves(joins: Iterable[tuple[Pair, Joined]]) -> list[tuple[Pair, Joined]]:
    return [(pair, one) for pair, one in joins if one.fate is Fate.MOVES]


def _moved(pair: Pair, one: Joined, both: _Both, asked: Asked) -> Entry:
    facts: dict[str, Json] = {
        "target": pair.target,
        "account": one.account.id,
        "remote_id": one.account.remote_id,
        "from": both.gone.identity.subject,
        "why": asked.why,
        "by_hand": True,
    }
    stream = f"target:{pair.target}"
    return Entry(stream, "account:link:moved", asked.by.actor, facts, both.into.row)
