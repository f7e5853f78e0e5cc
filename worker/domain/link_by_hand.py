"""Linking and unlinking by hand: what becomes of an account's row, and what speaks for a link. Pure.

What was known of the former account, held of it or approved for it says nothing about another one, so
it is forgotten and judged anew. Only what somebody said about a value of HR's outlasts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.sdk.fields import same
from connectors.sdk.model import Record
from worker.domain.account import ACCOUNT, QUIET, Account, Hold, Person, Reason
from worker.domain.policy import Policy

_WHOLE = "@"  # begins the name of what is held of an account as a whole


@dataclass(frozen=True, slots=True)
class Comparison:
    """Owned fields that HR speaks of, as the account to be linked shows them."""

    agrees: tuple[str, ...]
    differs: Record  # field -> wanted value


def compared(record: Record, person: Person, policy: Policy) -> Comparison:
    """Opaque fields are left out: what stands there is a reference of the target's own."""
    seen = {
        name: value
        for name, value in person.wanted.items()
        if name in record and not policy.fields[name].opaque
    }
    agrees = tuple(
        sorted(name for name, value in seen.items() if same(policy.fields[name], value, record[name]))
    )
    return Comparison(agrees, {name: value for name, value in seen.items() if name not in agrees})


def linked(account: Account, remote_id: str, decided: int) -> Account:
    """To this account from now on, which is read before anything is sent. `decided`: see `_forgotten`."""
    return replace(_forgotten(account, decided), remote_id=remote_id, must_read=True)


def unlinked(account: Account, by: str, decided: int, now: float) -> Account:
    """To no account, and none is looked for: neither new data nor a read that somebody asks for does so."""
    message = f"unlinked from {account.remote_id} by {by}: no account is looked for and nothing is sent"
    hold = Hold(Reason.UNLINKED, message, Reason.UNLINKED.value, now)
    return replace(_forgotten(account, decided), remote_id=None).hold({ACCOUNT: hold})


def _forgotten(account: Account, decided: int) -> Account:
    """`decided` is the newest decision: what was decided about the former account and not heeded is void.

    Revision and mapping stay: while a run judges a new mapping, this account is kept back as any other.
    """
    return Account(
        id=account.id,
        identity_id=account.identity_id,
        target_id=account.target_id,
        applied_revision=account.applied_revision,
        mapping_hash=account.mapping_hash,
        held=said(account.held),
        heeded=max(account.heeded, decided),
    )


def said(held: Mapping[str, Hold]) -> dict[str, Hold]:
    """What operators said about single values."""
    return {name: hold for name, hold in held.items() if hold.reason in QUIET and not name.startswith(_WHOLE)}
