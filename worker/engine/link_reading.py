"""Reading an account that an operator wants to link: who it is, and whether it may be linked at all.

Asks the target in a context in which no write can leave.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from connectors.sdk.model import Json, OutcomeKind, Record
from connectors.sdk.rest import write_until
from worker.domain.guard import protection
from worker.domain.link_by_hand import compared
from worker.domain.masking import masked
from worker.engine.cause import Cause
from worker.engine.deciding import as_planned
from worker.engine.entries import Subject
from worker.engine.link_ports import AtHand
from worker.engine.link_told import Asked
from worker.engine.target import Target

T = TypeVar("T")


class LinkRefusedError(ValueError):
    """Why it was not done, and the way out. `reason` is one word for the audit."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Candidate:
    """The account as the target showed it. Values are masked as the audit masks them.

    `differs` are changes that HR asks for: field, before, after and the row of the event. `rights` are
    what the account may do beyond others. `former` is the link that would be replaced.
    """

    remote_id: str
    name: Json
    agrees: tuple[str, ...]
    differs: tuple[Json, ...]
    rights: Mapping[str, Json]
    former: str | None


def read(target: Target, found: AtHand, asked: Asked, now: float) -> Candidate:
    """Raises LinkRefusedError for an account that is not there, cannot be read, or is protected."""
    remote_id = asked.remote_id or ""
    _introduce(target)
    record, policy = _record(target, remote_id), target.policy
    account = replace(found.account, remote_id=remote_id, observed=record)
    protected = protection(account, policy, now)
    if protected is not None:
        raise LinkRefusedError("protected", f"{remote_id} at {target.name}: {protected.message}")
    person = as_planned(target, account, found.identity, now)
    said = compared(record, person, policy)
    return Candidate(
        remote_id,
        _shown(target, policy.name_field, record.get(policy.name_field)),
        said.agrees,
        tuple(Subject(target, account, person, Cause()).changes(said.differs)),
        _rights(target, record),
        found.account.remote_id,
    )


def _introduce(target: Target) -> None:
    """Ask whose token ours is: its owner is protected."""
    if target.rules.introduced:
        return
    report = _only_reading(target.connector.check)
    if not report.healthy and report.owner is None:
        why = report.problems[0] if report.problems else "it does not answer"
        raise LinkRefusedError("unreadable", f"the connection check of {target.name} failed: {why}")
    ours = target.connector.descriptor.owner_only
    target.rules.introduce(*((None, None) if ours else (report.owner, report.owner_id)))


def _record(target: Target, remote_id: str) -> Record:
    outcome = _only_reading(lambda: target.connector.fetch(remote_id))
    if outcome.kind is OutcomeKind.MISSING:
        raise LinkRefusedError("missing", f"{target.name} has no account with the id {remote_id}")
    if outcome.kind is not OutcomeKind.OBSERVED or outcome.record is None:
        said = outcome.detail or f"status {outcome.exchange.status}"
        message = f"{target.name} did not show the account {remote_id}: {outcome.kind.value}: {said}"
        raise LinkRefusedError("unreadable", message)
    return outcome.record


def _only_reading(ask: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    context.run(write_until.set, 0.0)
    return context.run(ask)


def _rights(target: Target, record: Record) -> dict[str, Json]:
    """Guarded fields that the account has something in, owned or not."""
    return {
        spec.name: _shown(target, spec.name, record[spec.name])
        for spec in target.connector.descriptor.fields
        if spec.privileged and record.get(spec.name)
    }


def _shown(target: Target, name: str, value: Json) -> Json:
    return masked(value) if name in target.policy.masked else value
