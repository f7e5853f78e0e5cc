"""A plan as JSON. The events behind changes are named by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.sdk.model import Json
from worker.domain.account import Hold
from worker.engine.account_plan import AccountPlan, Request, Why
from worker.engine.foreseeing import Fold
from worker.engine.planning import PersonPlan
from worker.engine.view_ports import Viewer
from worker.storage.audit import stamp
from worker.views.moments import moment
from worker.views.ways_out import way_out


def names_of(viewer: Viewer, plans: Sequence[AccountPlan], folds: Sequence[Fold] = ()) -> dict[int, str]:
    """Row to id, of the events that the plans' changes name."""
    rows = {row for plan in plans for request in plan.requests for row in _rows(request)}
    named = {fold.row: fold.event.id for fold in folds}
    stored = rows - named.keys()
    if stored:
        with viewer.begin() as view:
            named |= {row: kept.event.id for row, kept in view.events(stored).items()}
    return named


def _rows(request: Request) -> Iterator[int]:
    for change in request.changes:
        row = change.get("event") if isinstance(change, dict) else None
        if isinstance(row, int):
            yield row


def why_words(why: Why) -> str:
    return why.text if why.at is None else f"{why.text} {moment(why.at)}"


def person_json(plan: PersonPlan, names: Mapping[int, str]) -> dict[str, Json]:
    return {
        "subject": plan.subject,
        "known": plan.known,
        "events": [_fold_json(fold) for fold in plan.folds],
        "accounts": [account_json(account, names) for account in plan.accounts],
    }


def _fold_json(fold: Fold) -> Json:
    return {
        "event": fold.event.id,
        "source": fold.event.source,
        "stored": fold.stored,
        "effect": fold.effect,
        "changes": list(fold.changed),
        "revision": fold.revision,
    }


def account_json(plan: AccountPlan, names: Mapping[int, str]) -> dict[str, Json]:
    claim = plan.look.claim
    brake: Json = None if plan.brake is None else {"lost_rights": plan.brake[0], "limit": plan.brake[1]}
    return {
        "target": plan.target.name,
        "subject": plan.subject,
        "remote_id": claim.account.remote_id,
        "mode": "observe" if plan.target.policy.observe_only else "enforce",
        "revision": claim.identity.revision,
        "acknowledged": claim.account.applied_revision,
        "verdict": plan.verdict.value,
        "reasons": [why_json(why) for why in plan.reasons],
        "requests": [_request_json(request, names) for request in plan.requests],
        "held": [
            {
                **hold_json(name, hold, plan.target.name),
                "may_be_approved": name in plan.approvable,
            }
            for name, hold in sorted(plan.account.held.items())
        ],
        "approvals": [
            {"field": name, "by": given.by, "until": stamp(given.until)}
            for name, given in sorted(claim.account.approvals.items())
        ],
        "brake": brake,
    }


def why_json(why: Why) -> Json:
    return {"text": why.text, "at": None if why.at is None else stamp(why.at)}


def hold_json(name: str, hold: Hold, target: str) -> dict[str, Json]:
    return {
        "field": name,
        "reason": hold.reason.value,
        "message": hold.message,
        "since": stamp(hold.since),
        "way_out": way_out(hold.reason, target),
    }


def _request_json(request: Request, names: Mapping[int, str]) -> Json:
    said = [change for change in request.changes if isinstance(change, dict)]
    return {
        "method": request.method,
        "path": request.path,
        "body": dict(request.body),
        "exact": request.exact,
        "revocation": request.revocation,
        "approved": list(request.approved),
        "changes": [{**change, "event": _name(change.get("event"), names)} for change in said],
    }


def _name(row: Json, names: Mapping[int, str]) -> str | None:
    return names.get(row) if isinstance(row, int) else None
