"""What our token may do to accounts, by Django's permissions, without trying it out. Writes nothing.

Django REST framework tells on a safe method what a path allows; where it does not, a read shows at least
whether accounts may be seen. Two reads at most; never raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.answers import NotJsonError, json_of
from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.offered import offered
from connectors.sdk.rest import RestClient

VIEW: Final = "view_user"
CHANGE: Final = "change_user"
REFUSED: Final = frozenset({OutcomeKind.FORBIDDEN, OutcomeKind.MISSING})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in neither list is not known. `unread` is set where the account could not be read."""

    rights: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    shown: frozenset[str] | None = None
    unread: Outcome | None = None


def standing(client: RestClient, accounts: AccountCalls, path: str, remote_id: str) -> Standing:
    """At one account; `path` is its address below the base URL."""
    actions = offered(client, path)
    if actions is not None and "PUT" in actions:
        return Standing((VIEW, CHANGE), (), actions["PUT"])
    outcome, body = accounts.read(remote_id)
    if outcome.record is not None:
        shown = frozenset(outcome.record) | _keys(body)
        return Standing((VIEW,), () if actions is None else (CHANGE,), shown)
    missing = (VIEW, CHANGE) if outcome.kind in REFUSED else ()
    return Standing((), missing, None, outcome)


def _keys(body: bytes) -> frozenset[str]:
    try:
        account = json_of(body)
    except NotJsonError:
        return frozenset()
    return frozenset(account) if isinstance(account, dict) else frozenset()
