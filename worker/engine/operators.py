"""Operators: add, revoke, list, and tell who holds a token. Every change and every refusal is audited.

A token is shown once, to whom adds the operator; only its digest is kept. Without any active admin
the first one is added without a token (bootstrap): whoever may do that may write the database anyhow.
A refusal is committed before it is raised, so that no attempt goes untold.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from connectors.sdk.model import Json
from worker.domain.operator import NAME, TOKEN_PREFIX, Principal, Role, token_hash
from worker.engine.errors import NotAllowedError, UnknownTokenError
from worker.engine.operator_ports import OperatorRow
from worker.engine.ports import Store, Transaction
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS

BOOTSTRAP = "bootstrap"
_TOKEN_BYTES = 32
_NOBODY = "0" * 64
_VOID = ("unknown_token", "revoked", "expired")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`name` is who asked, as far as that is known."""

    name: str
    reason: str
    message: str


class Operators:
    """Use cases; each is one transaction of `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def authenticate(
        self, token: str, at_least: Role, what: str, at: Collection[str] | None = None
    ) -> Principal:
        """Who holds the token, if role and scope suffice for `what`. Raises NotAllowedError, audited.

        `at`: the targets that it is done to. None: all, or what concerns none, which needs a token for all
        unless it is only looked at.
        """
        with self._store.begin() as tx:
            found = _judged(tx, token, at_least, at)
            if isinstance(found, Refusal):
                self._refused(tx, found, at_least, what)
        if isinstance(found, Refusal):
            error = UnknownTokenError if found.reason in _VOID else NotAllowedError
            raise error(found.message)
        return found

    def knows(self, token: str) -> bool:
        """Whether the token is or was somebody's; judges and audits nothing."""
        with self._store.begin() as tx:
            return tx.operators.by_token_hash(token_hash(token)) is not None

    def refuse(self, actor: str, at_least: Role, what: str, message: str) -> NotAllowedError:
        """Audit that somebody without a token asked for `what`; the error to raise."""
        with self._store.begin() as tx:
            self._refused(tx, Refusal(actor, "no_token", message), at_least, what)
        return NotAllowedError(message)

    @staticmethod
    def _refused(tx: Transaction, refusal: Refusal, at_least: Role, what: str) -> None:
        facts: dict[str, Json] = {"what": what, "needs": at_least.value, "reason": refusal.reason}
        tx.audit(Entry(OPERATORS, "operator:access:refused", refusal.name, facts))

    def exist(self) -> bool:
        """Whether anybody was ever added: from then on every change needs a token."""
        with self._store.begin() as tx:
            return bool(tx.operators.all())

    def needs_bootstrap(self) -> bool:
        """Whether there is no admin whose token is good now."""
        with self._store.begin() as tx:
            return not _admins(tx)

    def add(
        self,
        name: str,
        role: Role,
        by: Principal,
        expires_in_s: float | None = None,
        targets: Collection[str] | None = None,
    ) -> str:
        """The new operator's token. A name is free again once it was revoked or has expired.

        `targets` is the scope: all that the token is good for; None: everything. An admin has none. `by`
        without a role is the bootstrap: allowed only while there is no active admin, and only for an
        admin. Raises NotAllowedError, or ValueError for a name or a scope that cannot be had.
        """
        if targets is not None and (role is Role.ADMIN or not targets):
            raise ValueError("an admin's token is good for every target: leave the targets out")
        token = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        with self._store.begin() as tx:
            tx.operators.lock()
            refusal = _refusal_to_add(tx, role, by)
            if refusal is None:
                self._add(tx, _row(tx.now, name, role, by, token, expires_in_s, targets), by)
            else:
                self._refused(tx, refusal, Role.ADMIN, f"operator:add:{name}")
        if refusal is not None:
            raise NotAllowedError(refusal.message)
        return token

    @staticmethod
    def _add(tx: Transaction, added: OperatorRow, by: Principal) -> None:
        name = added.name
        if NAME.fullmatch(name) is None:
            raise ValueError(
                f"{name!r} is no name for an operator: a-z first, then a-z, 0-9 . _ -, at most 63"
            )
        known = {row.name: row for row in tx.operators.all()}.get(name)
        if known is not None and known.active(tx.now):
            raise ValueError(
                f"there is an operator {name!r} already: revoke it first, its token is then void"
            )
        tx.operators.add(added)
        how = BOOTSTRAP if by.role is None else "added"
        facts: dict[str, Json] = {"operator": name, "role": added.role.value, "expires_at": added.expires_at}
        if added.targets is not None:
            facts["targets"] = [*sorted(added.targets)]
        tx.audit(Entry(OPERATORS, f"operator:add:{how}", by.actor, facts))

    def revoke(self, name: str, by: Principal, why: str) -> None:
        """Their token is void from now on. The last active admin stays. Raises ValueError."""
        with self._store.begin() as tx:
            tx.operators.lock()
            known = {row.name: row for row in tx.operators.all()}.get(name)
            if known is None or known.revoked_at is not None:
                raise ValueError(f"there is no operator {name!r} to revoke")
            if {row.name for row in _admins(tx)} == {name}:
                raise ValueError(f"{name!r} is the last admin: add another one first")
            tx.operators.revoke(name, tx.now)
            facts: dict[str, Json] = {"operator": name, "role": known.role.value, "why": why}
            tx.audit(Entry(OPERATORS, "operator:revoke:revoked", by.actor, facts))

    def all(self) -> Sequence[OperatorRow]:
        """Everybody ever added, by name."""
        with self._store.begin() as tx:
            return tx.operators.all()


def _admins(tx: Transaction) -> list[OperatorRow]:
    return [row for row in tx.operators.all() if row.role is Role.ADMIN and row.active(tx.now)]


def _refusal_to_add(tx: Transaction, role: Role, by: Principal) -> Refusal | None:
    """Judged under the lock: of two who bootstrap at once, the second is refused."""
    if by.may(Role.ADMIN):
        return None
    if by.role is not None:
        return Refusal(by.actor, "role", "adding an operator needs the role admin")
    if _admins(tx):
        return Refusal(
            by.actor, "no_token", "there is an admin already: adding an operator needs their token"
        )
    if role is not Role.ADMIN:
        return Refusal(
            by.actor, "no_admin", "there is no active admin: the first operator must be one, --role admin"
        )
    return None


def _row(  # noqa: PLR0913 - one parameter for each column
    now: float,
    name: str,
    role: Role,
    by: Principal,
    token: str,
    expires_in_s: float | None,
    targets: Collection[str] | None,
) -> OperatorRow:
    expires_at = None if expires_in_s is None else now + expires_in_s
    scope = None if targets is None else frozenset(targets)
    return OperatorRow(name, role, token_hash(token), by.actor, now, expires_at, targets=scope)


def _judged(tx: Transaction, token: str, at_least: Role, at: Collection[str] | None) -> Principal | Refusal:
    wanted = token_hash(token)
    row = tx.operators.by_token_hash(wanted)
    same = hmac.compare_digest(row.token_hash if row is not None else _NOBODY, wanted)
    if row is None or not same:
        return Refusal("unknown", "unknown_token", "nobody holds this operator token: ask an admin for one")
    who = row.principal
    if row.revoked_at is not None:
        return Refusal(who.actor, "revoked", f"the token of {row.name} was revoked: ask an admin for another")
    if not row.active(tx.now):
        return Refusal(who.actor, "expired", f"the token of {row.name} has expired: ask an admin for another")
    if not row.role.allows(at_least):
        words = f"{row.name} has the role {row.role.value}, this needs {at_least.value}"
        return Refusal(who.actor, "role", words)
    if at_least is not Role.VIEWER and not who.covers(at):
        scope = ", ".join(sorted(who.targets or ()))
        return Refusal(who.actor, "scope", f"the token of {row.name} is good for {scope} only: {_beyond(at)}")
    return who


def _beyond(at: Collection[str] | None) -> str:
    return "this concerns every target" if at is None else f"this is about {', '.join(sorted(at))}"
