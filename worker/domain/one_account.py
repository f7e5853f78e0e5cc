"""What becomes of two accounts at one target whose identities turn out to be one person. Pure.

A link moves as a link by hand is made: what was held or approved says nothing any more and is judged
anew, only what somebody said about a value outlasts it. Nobody's link is ever replaced by another.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from worker.domain import link_by_hand
from worker.domain.account import ACCOUNT, RETURNER, Account, Hold, Reason


class Fate(enum.StrEnum):
    """What becomes of the remaining person's account; the words are shown and audited."""

    STAYS = "stays"
    MOVES = "moves"  # it is the account of the identity that goes
    HELD = "held"  # no account is looked for, as was said of the identity that goes
    TWO = "two"  # both are linked: somebody has to say which one it is
    UNLINKED = "unlinked"  # somebody took a link away here, and this would bring one back

    @property
    def refused(self) -> bool:
        return self in (Fate.TWO, Fate.UNLINKED)


@dataclass(frozen=True, slots=True)
class Joined:
    """`account` is the remaining person's from now on."""

    fate: Fate
    account: Account


def joined(into: Account, gone: Account, decided: int) -> Joined:
    """`decided` is the newest decision about either: what nobody has heeded yet is void."""
    if gone.remote_id is None:
        return _without_link(into, gone, decided)
    if into.remote_id is not None:
        return Joined(Fate.TWO, into)
    if _is_unlinked(into):
        return Joined(Fate.UNLINKED, into)
    return Joined(Fate.MOVES, _moved(into, gone, gone.remote_id, decided))


def _without_link(into: Account, gone: Account, decided: int) -> Joined:
    if into.remote_id is not None or _is_unlinked(into) or not _is_unlinked(gone):
        return Joined(Fate.STAYS, into)
    still = {ACCOUNT: gone.held[ACCOUNT]}
    return Joined(Fate.HELD, replace(into, heeded=max(into.heeded, decided)).hold(still))


def _moved(into: Account, gone: Account, remote_id: str, decided: int) -> Account:
    """With the mapping that last decided about the link: a run that judges another one keeps it back."""
    linked = link_by_hand.linked(into, remote_id, decided)
    return replace(
        linked,
        applied_revision=into.applied_revision or min(gone.applied_revision, 1),
        mapping_hash=gone.mapping_hash,
        demoted=gone.demoted,
        sent=gone.sent,
        held={**_outlasting(gone), **linked.held},
    )


def _outlasting(gone: Account) -> dict[str, Hold]:
    """What somebody said about a value, and that the account needs a password."""
    reminder = {name: hold for name, hold in gone.held.items() if name == RETURNER}
    return {**link_by_hand.said(gone.held), **reminder}


def _is_unlinked(account: Account) -> bool:
    hold = account.held.get(ACCOUNT)
    return hold is not None and hold.reason is Reason.UNLINKED
