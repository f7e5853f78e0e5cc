"""What is wanted of each field, who said so, what is there and why not: as JSON, and in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.sdk.model import Json
from worker.engine.account_plan import Verdict
from worker.engine.explaining import AccountStory, EventName, FieldState, FieldStory, PersonStory, Sending
from worker.storage.audit import stamp
from worker.views.plans import hold_json, why_json, why_words

QUIET: Final = (Verdict.RIGHT, Verdict.NOTHING)


def sentence(account: AccountStory) -> str:
    """The verdict."""
    plan, missing = account.plan, account.missing
    whole, place = len(account.fields), f"{account.plan.subject} at {account.plan.target.name}"
    if plan.verdict in QUIET or not missing:
        state = "nothing is missing" if plan.verdict is not Verdict.NOTHING else "nothing is to be done"
    else:
        pending = sum(one.state is FieldState.PENDING for one in missing)
        kinds = f"{pending} pending, {len(missing) - pending} held"
        state = f"{len(missing)} of {whole} fields are not there: {kinds}"
    sends = ["the next sync sends what is pending"] if plan.verdict is Verdict.SEND else []
    why = "; ".join([*sends, *(why_words(one) for one in plan.reasons)])
    return f"{place}: {state}{f'. {why}' if why else ''}"


def story_json(story: PersonStory, field: str | None) -> dict[str, Json]:
    return {
        "subject": story.subject,
        "waiting_events": [fold.event.id for fold in story.folds],
        "accounts": [_account_json(account, field) for account in story.accounts],
    }


def _account_json(account: AccountStory, field: str | None) -> Json:
    plan = account.plan
    claim = plan.look.claim
    return {
        "target": plan.target.name,
        "remote_id": claim.account.remote_id,
        "revision": account.revision,
        "acknowledged": claim.account.applied_revision,
        "verdict": plan.verdict.value,
        "sentence": sentence(account),
        "reasons": [why_json(why) for why in plan.reasons],
        "pending_since": None if claim.pending_since is None else stamp(claim.pending_since),
        "observed_at": None if claim.account.observed is None else stamp(claim.account.observed_at),
        "fields": [_field_json(account, one) for one in account.fields if field in (None, one.name)],
        "held": [hold_json(name, hold, plan.target.name) for name, hold in sorted(plan.account.held.items())],
    }


def _field_json(account: AccountStory, one: FieldStory) -> Json:
    hold = None if one.hold is None else hold_json(one.name, one.hold, account.plan.target.name)
    return {
        "field": one.name,
        "state": one.state.value,
        "desired": one.desired,
        "observed": one.observed,
        "acknowledged": _sending_json(one.acknowledged),
        "expression": one.expression,
        "set_by": _event_json(one.origin),
        "reads": [{"attribute": one.attribute, "event": _event_json(one.event)} for one in one.setters],
        "last_request": _sending_json(one.last),
        "why": [why_json(why) for why in one.why],
        "held": hold,
    }


def _event_json(event: EventName | None) -> Json:
    if event is None:
        return None
    known = {"event": event.id, "source": event.source, "correlation": event.correlation}
    return {**known, "time": stamp(event.time)}


def _sending_json(sending: Sending | None) -> Json:
    if sending is None:
        return None
    answer = None if sending.answer is None else _answer_json(sending.answer.at, sending.answer.facts)
    return {
        "request": sending.request,
        "at": stamp(sending.at),
        "method": sending.intent.get("method"),
        "path": sending.intent.get("path"),
        "value": sending.value,
        "answer": answer,
    }


def _answer_json(at: float, facts: Mapping[str, Json]) -> Json:
    return {"at": stamp(at), **{name: facts.get(name) for name in ("class", "status", "detail")}}
