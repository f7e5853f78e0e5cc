"""People: one person as stored, with the events behind each attribute and the account at each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.domain.account import Account
from worker.domain.identity import Identity
from worker.engine.rows import StoredEvent, TargetState
from worker.engine.subject_ports import Alias
from worker.engine.view_ports import AccountLook, Viewer

_TARGETS = 10_000  # more than anybody configures


@dataclass(frozen=True, slots=True)
class Presence:
    """The person at one target."""

    target: str
    look: AccountLook
    state: str


@dataclass(frozen=True, slots=True)
class PersonLook:
    """`events` by row: those behind the attributes. `waiting` were stored and are not folded yet.

    `aliases` are HR keys of before: their events are this person's as well.
    """

    identity: Identity
    wake_at: float | None
    events: Mapping[int, StoredEvent]
    waiting: Sequence[StoredEvent]
    presences: Sequence[Presence]
    aliases: Sequence[Alias] = ()


def person(viewer: Viewer, subject: str) -> PersonLook | None:
    """None: no event that spoke of them was folded."""
    with viewer.begin() as view:
        known = view.person(subject)
        if known is None:
            return None
        states = {state.id: state for state in view.targets().values()}
        looks = view.accounts({"subjects": [subject]}, 0, _TARGETS)
        rows = {held.event for held in known.identity.attributes.values()}
        return PersonLook(
            known.identity,
            known.wake_at,
            view.events(rows),
            view.waiting(subject),
            sorted((_presence(look, states, view.now) for look in looks), key=_name),
            view.aliases(known.row),
        )


def _name(presence: Presence) -> str:
    return presence.target


def _presence(look: AccountLook, states: Mapping[int, TargetState], now: float) -> Presence:
    state = states[look.claim.account.target_id]
    return Presence(state.name, look, ", ".join(_words(look, state, now)))


def _words(look: AccountLook, state: TargetState, now: float) -> list[str]:
    """What an operator wants to know first comes first."""
    account = look.claim.account
    found = [f"{len(account.held)} held"] if account.held else []
    found += ["in doubt"] if account.doubt is not None else []
    found += ["target paused"] if state.paused else []
    return [*found, _progress(look, account, now)]


def _progress(look: AccountLook, account: Account, now: float) -> str:
    if look.leased:
        return "in hand"
    if look.due_at is not None:
        return "due" if look.due_at <= now else "later"
    if look.claim.pending_since is not None:
        return "waits for a run"
    return "settled" if account.remote_id is not None else "not linked"
