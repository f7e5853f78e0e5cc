"""Linking by hand: an operator says which account of a target is a person's, or that none is.

Promise: a row that a worker has in hand is not changed, so no answer is lost and no request goes to an
account by an old link. What is linked was read and judged before, and is read again before anything is
sent to it. Protected accounts, the owner of our token and other people's accounts are refused. Every
link, every unlink and every refusal is audited; a refusal is committed before it is raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

from connectors.sdk.model import Json
from worker.domain import link_by_hand
from worker.domain.account import Account
from worker.domain.strict_json import digest
from worker.engine import link_told
from worker.engine.again import whole
from worker.engine.link_ports import AtHand
from worker.engine.link_reading import Candidate, LinkRefusedError, read
from worker.engine.link_told import Asked
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.target import Target

T = TypeVar("T")

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Changed:
    """The link before and after."""

    former: str | None
    remote_id: str | None


class Linking:
    """At one target. `patience_s` is how long a worker that has the account in hand is waited for."""

    def __init__(
        self, store: Store, signals: Signals, target: Target, shards: int, patience_s: float
    ) -> None:
        self._store = store
        self._signals = signals
        self._target = target
        self._shards = shards
        self._patience_s = patience_s

    def look(self, asked: Asked, *, replaces: bool = False) -> Candidate:
        """Read the account at the target, and judge it. Raises LinkRefusedError.

        `replaces`: whether the person may be linked to another account by now.
        """
        return self._audited(asked, lambda: self._look(asked, replaces=replaces))

    def look_again(self, asked: Asked, shown: str, *, replaces: bool = False) -> Candidate:
        """As `look`; refused where its hash does not begin with `shown`, as that of what was shown did."""
        return self._audited(asked, lambda: self._as_shown(asked, shown, replaces=replaces))

    def hash(self, asked: Asked, seen: Candidate) -> str:
        """Of whom, where, and all that somebody is shown and decides on."""
        return digest([self._target.name, asked.subject, asdict(seen)])

    def link(self, asked: Asked, seen: Candidate) -> Changed:
        """Link what was looked at. Raises LinkRefusedError, also for what changed meanwhile."""
        return self._audited(
            asked, lambda: self._when_free(asked, lambda tx, found: self._link(tx, found, asked, seen))
        )

    def unlink(self, asked: Asked) -> Changed:
        """Forget the remote id; the account is held whole. Raises LinkRefusedError."""
        return self._audited(
            asked, lambda: self._when_free(asked, lambda tx, found: self._unlink(tx, found, asked))
        )

    def _audited(self, asked: Asked, work: Callable[[], T]) -> T:
        try:
            return work()
        except LinkRefusedError as error:
            with self._store.begin() as tx:
                tx.audit(asked.refused(self._target, error.reason, str(error)))
            raise

    def _as_shown(self, asked: Asked, shown: str, *, replaces: bool) -> Candidate:
        seen = self._look(asked, replaces=replaces)
        if not self.hash(asked, seen).startswith(shown):
            raise LinkRefusedError("changed", "what was shown is not so any more: look at it again")
        return seen

    def _look(self, asked: Asked, *, replaces: bool) -> Candidate:
        with self._store.begin() as tx:
            self._require_open(tx)
            found, now = _known(tx.links.find(self._target.id, asked.subject), asked), tx.now
            self._require_free_id(tx, found, asked)
        former = found.account.remote_id
        if former is not None and not replaces:
            message = f"{asked.subject} is linked to {former} at {self._target.name}: --replace changes that"
            raise LinkRefusedError("linked", message)
        return read(self._target, found, asked, now)

    def _require_open(self, tx: Transaction) -> None:
        """The target takes requests, and our configuration of it is the one that counts."""
        name = self._target.name
        state = {state.id: state for state in tx.targets.all()}[self._target.id]
        if state.paused:
            raise LinkRefusedError("paused", f"{name} is paused ({state.reason}): nothing is read there")
        if state.gate_until > tx.now:
            raise LinkRefusedError("gate", f"{name} asked us to wait: try again in a moment")
        if state.fingerprint not in (None, self._target.fingerprint):
            message = f"the workers have another configuration of {name} than we: restart what is older"
            raise LinkRefusedError("configuration", message)

    def _require_free_id(self, tx: Transaction, found: AtHand, asked: Asked) -> None:
        remote_id = asked.remote_id or ""
        owner = tx.links.owner(self._target.id, remote_id)
        if owner == found.identity.subject:
            message = f"{owner} is linked to {remote_id} already: `hirewire resync` has it read"
            raise LinkRefusedError("linked", message)
        if owner is not None:
            raise LinkRefusedError("owned", self._owned(remote_id, owner))

    def _owned(self, remote_id: str, owner: str) -> str:
        place = self._target.name
        return (
            f"{remote_id} at {place} is the account of {owner}: "
            f"if that is wrong, `hirewire account unlink {owner} --target {place}` first"
        )

    def _when_free(self, asked: Asked, act: Callable[[Transaction, AtHand], Changed]) -> Changed:
        """As soon as no worker has the account in hand and nothing that was sent is in doubt."""
        until = time.monotonic() + self._patience_s
        while not isinstance(done := whole(lambda: self._try(asked, act)), Changed):
            if time.monotonic() >= until:
                raise LinkRefusedError("busy", f"{done}: nothing was changed, try again in a moment")
            time.sleep(_LOOK_EVERY_S)
        for shard in range(self._shards):
            self._signals.sync(shard)
        return done

    def _try(self, asked: Asked, act: Callable[[Transaction, AtHand], Changed]) -> Changed | str:
        """What was done, or why nothing can be done now."""
        place = f"{asked.subject} at {self._target.name}"
        with self._store.begin() as tx:
            found = _known(tx.links.take(self._target.id, asked.subject), asked)
            if found.leased:
                return f"a worker has {place} in hand"
            if found.account.doubt is not None:
                return f"nobody knows yet what became of the last request for {place}"
            return act(tx, found)

    def _link(self, tx: Transaction, found: AtHand, asked: Asked, seen: Candidate) -> Changed:
        if found.account.remote_id != seen.former:
            message = f"the link of {asked.subject} changed meanwhile: it is {found.account.remote_id} now"
            raise LinkRefusedError("linked", message)
        self._require_open(tx)
        self._require_free_id(tx, found, asked)
        state = link_by_hand.linked(found.account, seen.remote_id, found.decided)
        evidence: dict[str, Json] = {
            "name": seen.name,
            "evidence": list(seen.agrees),
            "differs": list(seen.differs),
            "rights": dict(seen.rights),
        }
        tx.audit(link_told.decided(self._target, found, state, asked, evidence))
        return self._written(tx, found, state, asked, seen.agrees)

    def _unlink(self, tx: Transaction, found: AtHand, asked: Asked) -> Changed:
        if found.account.remote_id is None:
            message = f"{asked.subject} is not linked to any account at {self._target.name}"
            raise LinkRefusedError("not_linked", message)
        state = link_by_hand.unlinked(found.account, asked.by.actor, found.decided, tx.now)
        tx.audit(link_told.decided(self._target, found, state, asked, {}))
        return self._written(tx, found, state, asked, ())

    def _written(
        self, tx: Transaction, found: AtHand, state: Account, asked: Asked, agrees: tuple[str, ...]
    ) -> Changed:
        if not tx.links.write(state, tx.now):
            message = f"{asked.remote_id} was linked to somebody else meanwhile: look at it again"
            raise LinkRefusedError("owned", message)
        tx.unique_values.keep({state.id: {}})  # what the former account has, this person has no more
        for entry in link_told.done(self._target, found, state, asked, agrees):
            tx.audit(entry)
        return Changed(found.account.remote_id, state.remote_id)


def _known(found: AtHand | None, asked: Asked) -> AtHand:
    if found is None:
        raise LinkRefusedError("unknown", f"no event ever spoke of {asked.subject!r}")
    return found
