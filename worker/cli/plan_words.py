"""A plan in words. The events behind changes are named by their ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from connectors.sdk.text import one_line
from worker.cli.output import moment
from worker.cli.telling import changes
from worker.domain.account import Hold
from worker.engine.account_plan import AccountPlan, Request, Verdict
from worker.engine.foreseeing import Fold
from worker.views.plans import why_words
from worker.views.ways_out import way_out

_WIDTH = 2_000
_VERDICTS = {
    Verdict.SEND: "is sent next",
    Verdict.LATER: "is not sent now",
    Verdict.OBSERVE: "would be sent in mode enforce",
    Verdict.SEARCH: "nothing is sent yet: the account is searched for first",
    Verdict.READ: "nothing is sent yet: the account is read first",
    Verdict.HELD: "nothing to send: what differs is held",
    Verdict.RIGHT: "nothing to send: already right",
    Verdict.NOTHING: "nothing to send",
}
_FOLDS = {
    "changed": "changes {changed}: revision {revision}",
    "unchanged": "changes nothing",
    "superseded": "changes nothing: a newer event has spoken",
    "duplicate": "is stored already: sending it again changes nothing",
    "refused": "would be refused: its id was used before for an event with another body",
    "ahead": "is kept until {time}, and folded then",
}


def fold_line(fold: Fold) -> str:
    words = _FOLDS[fold.effect].format(
        changed=", ".join(fold.changed), revision=fold.revision, time=moment(fold.event.time)
    )
    waiting = "is stored, waits to be folded and " if fold.stored else ""
    return f"event {fold.event.id} from {fold.event.source} {waiting}{words}"


def lines(plan: AccountPlan, names: Mapping[int, str]) -> Iterator[str]:
    """The account and its verdict first, what belongs to it below."""
    claim = plan.look.claim
    link = f"remote id {claim.account.remote_id}" if claim.account.remote_id else "not linked"
    revisions = f"revision {claim.identity.revision}, acknowledged {claim.account.applied_revision}"
    yield f"{plan.subject} at {plan.target.name} ({link}, {revisions}): {_VERDICTS[plan.verdict]}"
    for request in plan.requests:
        yield from (f"  {text}" for text in _request_lines(request, names))
    for why in plan.reasons:
        yield f"  why   {why_words(why)}"
    for name, hold in sorted(plan.account.held.items()):
        yield f"  held  {name}  {hold_words(hold, plan.target.name)}"
    if plan.brake is not None:
        sent, limit = plan.brake
        yield f"  brake {sent} of at most {limit} accounts of {plan.target.name} lost rights lately"


def _request_lines(request: Request, names: Mapping[int, str]) -> Iterator[str]:
    marks = ["takes rights away"] if request.revocation else []
    marks += [f"approved: {', '.join(request.approved)}"] if request.approved else []
    marks += [] if request.exact else ["the connector gives it its own form"]
    said = f"  [{'; '.join(marks)}]" if marks else ""
    yield f"{request.method} {request.path or '(a new account)'}{said}"
    yield f"  {one_line(json.dumps(dict(request.body), ensure_ascii=False), _WIDTH)}"
    yield from (f"  {text}" for text in changes({"changes": list(request.changes)}, names))


def hold_words(hold: Hold, target: str) -> str:
    return f"{hold.reason.value}: {hold.message}. Way out: {way_out(hold.reason, target)}"
