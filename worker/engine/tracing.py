"""Tracing one event: whether it was folded, and how it stands with it at each target. Derived, never stored.

What a target acknowledged for the event is told by the audit, whose records carry the correlation ids of the
events behind them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.sdk.model import Json
from worker.engine.rows import TargetState
from worker.engine.view_ports import AccountLook, Kept, Known, Told, View, Viewer

_RECORDS = 500  # of a person's newest at one target
_ACKNOWLEDGED = (":applied", ":confirmed")
_PLANNED = ":planned"
_HELD = "account:field:held"


class There(enum.StrEnum):
    """How an event stands at one target; the words are part of the API."""

    WAITING = "waiting"  # not there yet; paused, backing off or not yet looked at too
    APPLIED = "applied"  # the target acknowledged it
    HELD = "held"  # something of it waits for an operator or for new data
    PLANNED = "planned"  # the target is only observed: that is what would have been sent
    SUPERSEDED = "superseded"  # something newer was said before it was sent
    NO_OP = "no_op"  # nothing had to be sent for it


class Folding(enum.StrEnum):
    WAITING = "waiting"  # to be folded, or for its time
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    ASIDE = "aside"  # folding it failed; it is tried again


@dataclass(frozen=True, slots=True)
class Trace:
    kept: Kept
    folding: Folding
    targets: dict[str, There]


@dataclass(frozen=True, slots=True)
class Tracing:
    """`targets` are the names of the configured targets."""

    viewer: Viewer
    targets: frozenset[str]

    def of(self, source: str, event_id: str) -> Trace | None:
        """None where this source sent no event of this id."""
        with self.viewer.begin() as view:
            found = [kept for kept in view.events_called(event_id) if kept.stored.event.source == source]
            return self._traced(view, found[0]) if found else None

    def _traced(self, view: View, kept: Kept) -> Trace:
        folding = _folding(kept)
        known = {name: state for name, state in view.targets().items() if name in self.targets}
        return Trace(kept, folding, dict(_everywhere(view, kept, folding, known)))


def _folding(kept: Kept) -> Folding:
    if kept.stored.aside and kept.fold_at is not None:
        return Folding.ASIDE
    return Folding(kept.effect) if kept.effect else Folding.WAITING


def _everywhere(
    view: View, kept: Kept, folding: Folding, targets: dict[str, TargetState]
) -> Iterator[tuple[str, There]]:
    at_once = {
        Folding.WAITING: There.WAITING,
        Folding.ASIDE: There.WAITING,
        Folding.UNCHANGED: There.NO_OP,
        Folding.SUPERSEDED: There.SUPERSEDED,
    }
    person = view.person(kept.stored.event.subject) if folding is Folding.CHANGED else None
    accounts = _accounts(view, person) if person is not None else {}
    for name, state in sorted(targets.items()):
        if person is None:
            yield name, at_once.get(folding, There.WAITING)
        else:
            account = accounts.get(state.id)
            told = view.told(person.row, f"target:{name}", _RECORDS)
            yield name, _at(kept, person, account, told)


def _accounts(view: View, person: Known) -> dict[int, AccountLook]:
    looks = view.accounts({"subjects": [person.identity.subject]}, 0, _RECORDS)
    return {look.claim.account.target_id: look for look in looks}


def _at(kept: Kept, person: Known, look: AccountLook | None, told: Sequence[Told]) -> There:
    """In this order: what the audit tells of the event itself, then what the rows leave over."""
    if look is None:
        return There.WAITING
    ours = [record for record in told if kept.stored.correlation in _correlations(record)]
    held = {record.facts.get("field") for record in ours if record.action == _HELD}
    if held & look.claim.account.held.keys():
        return There.HELD
    if look.claim.account.applied_revision < (kept.revision or 0):
        return There.HELD if look.due_at is None and look.claim.account.held else There.WAITING
    if any(record.action.endswith(_ACKNOWLEDGED) for record in ours):
        return There.APPLIED
    if any(record.action.endswith(_PLANNED) for record in ours):
        return There.PLANNED
    current = any(said.event == kept.stored.row for said in person.identity.attributes.values())
    return There.NO_OP if current else There.SUPERSEDED


def _correlations(record: Told) -> list[Json]:
    several = record.facts.get("correlations")
    return several if isinstance(several, list) else [record.facts.get("correlation")]
