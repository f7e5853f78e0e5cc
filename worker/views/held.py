"""What is held, as JSON; and which role may say which word about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from connectors.sdk.model import Json
from worker.domain.decisions import Word
from worker.domain.masking import masked
from worker.domain.operator import Role
from worker.storage.audit import stamp
from worker.storage.queries import HeldField

if TYPE_CHECKING:  # a listing needs none of the engine
    from worker.engine.deciding import Held

NEEDS: Final = {
    Word.RETRY: Role.OPERATOR,
    Word.DISCARD: Role.OPERATOR,
    Word.APPROVE: Role.APPROVER,
    Word.REJECT: Role.APPROVER,
}


def held_json(item: HeldField) -> Json:
    return {**asdict(item), "since": stamp(item.since)}


def decidable_json(held: Held) -> Json:
    hold, approval = held.hold, held.approval
    before, after = shown_values(held)
    return {
        "target": held.target.name,
        "subject": held.subject,
        "remote_id": held.account.remote_id,
        "field": held.field,
        "reason": hold.reason.value if hold is not None else None,
        "message": hold.message if hold is not None else None,
        "since": stamp(hold.since) if hold is not None else None,
        "before": before,
        "after": after,
        "may_be_approved": held.question is not None,
        "approved_by": approval.by if approval is not None else None,
        "approved_until": stamp(approval.until) if approval is not None else None,
        "hash": held.hash,
    }


def shown_values(held: Held) -> tuple[Json, Json]:
    """Before and after: the guarded part where there is one, and nothing of a masked field."""
    before, after = held.before, held.after
    if held.question is not None:
        before, after = held.question.before, held.question.after
    if held.field in held.target.policy.masked:
        return masked(before), masked(after)
    return before, after
