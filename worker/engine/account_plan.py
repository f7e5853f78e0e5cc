"""An account's plan in words: what a rehearsal ended with, and why there is nothing to send. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.sdk.fields import FieldType
from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.decisions import question
from worker.domain.masking import masked
from worker.domain.plan import Create, Demote, Fetch, Find, Later
from worker.engine.deciding import as_planned
from worker.engine.entries import METHODS
from worker.engine.job import Job, write_of
from worker.engine.rehearsal import Meant, Rehearsed
from worker.engine.target import Target
from worker.engine.view_ports import AccountLook


class Verdict(enum.StrEnum):
    """What a sync would do with an account; the words are part of `plan --json`."""

    SEND = "send"
    LATER = "later"  # there is something to send, and something is in the way for now
    OBSERVE = "observe"  # it would be sent if the target's mode were "enforce"
    SEARCH = "search"  # the target is searched for the account first
    READ = "read"  # the account is read first: what follows depends on the answer
    HELD = "held"
    RIGHT = "right"
    NOTHING = "nothing"  # there is no account here and none is wanted, or it is not ours to change


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, in words. `at`: until when, or since when, as the words say."""

    text: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `body` is the JSON that the connector is given; masked where a field is sensitive.

    `exact`: it leaves as it stands here. Else the connector puts it into another form first: names into
    ids, keys merged into what the target shows, a picture fetched, a password made up. `path` None: only
    the connector knows it.
    """

    method: str
    path: str | None
    body: Mapping[str, Json]
    changes: tuple[Json, ...]
    revocation: bool
    exact: bool
    approved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What beside the account itself decides. `blockers` keep a worker from sending now, `notes` do not."""

    look: AccountLook
    blockers: tuple[Why, ...]
    notes: tuple[Why, ...]
    brake: tuple[int, int] | None  # accounts that lost rights lately, and how many may; None: not counted


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """What would become of one account. `requests` are in their order, each taken to succeed.

    `account` is as the guards leave it after the last of them; `look` is as it is stored.
    """

    target: Target
    look: AccountLook
    account: Account
    verdict: Verdict
    reasons: tuple[Why, ...]
    requests: tuple[Request, ...]
    approvable: frozenset[str]  # held fields that an approver may let pass
    unanswered: bool  # the target was to be read, and could not be or gave no answer to go on with
    brake: tuple[int, int] | None

    @property
    def subject(self) -> str:
        return self.look.claim.identity.subject


def account_plan(target: Target, seen: Rehearsed, around: Around) -> AccountPlan:
    job = seen.job
    requests = tuple(_request(job, meant) for meant in seen.meant)
    verdict, reasons = _judged(seen, target, requests, around)
    if verdict not in (Verdict.RIGHT, Verdict.NOTHING):
        reasons += around.blockers
    return AccountPlan(
        target,
        around.look,
        job.account,
        verdict,
        (*reasons, *around.notes),
        requests,
        _approvable(job),
        seen.unanswered,
        around.brake,
    )


def _approvable(job: Job) -> frozenset[str]:
    account, policy = job.account, job.target.policy
    person = as_planned(job.target, account, job.claim.identity, job.claim.claimed_at)
    return frozenset(
        name
        for name, hold in account.held.items()
        if question(name, hold, account, person, policy) is not None
    )


def _judged(
    seen: Rehearsed, target: Target, requests: Sequence[Request], around: Around
) -> tuple[Verdict, list[Why]]:
    """The verdict, and the reasons that the last step gives."""
    job = seen.job
    match job.step:
        case Find():
            return Verdict.SEARCH, [_search(job)]
        case Fetch() if not requests:
            return Verdict.READ, [_reading(job.account)]
        case Later(due_at) if not requests:
            return Verdict.LATER, [Why("it is read again at", due_at)]
    if requests and target.policy.observe_only:
        return Verdict.OBSERVE, [Why(f'targets.{target.name}.mode = "observe": nothing is sent')]
    if requests:
        return (Verdict.LATER if around.blockers else Verdict.SEND), []
    return (Verdict.HELD, []) if job.account.held else _idle(seen)


def _idle(seen: Rehearsed) -> tuple[Verdict, list[Why]]:
    """Nothing to send, and nothing is held."""
    job = seen.job
    person, target = job.person, job.target
    if not person.in_scope and job.account.remote_id is not None:
        return Verdict.NOTHING, [Why(f"outside the scope of {target.name}: the account is left as it is")]
    if not person.in_scope:
        return Verdict.NOTHING, [Why(f"outside the scope of {target.name}")]
    if job.account.remote_id is not None:
        return Verdict.RIGHT, [Why("the target showed everything as wanted at", seen.seen_at)]
    if person.waits:
        return Verdict.NOTHING, [Why("the first day is still to come: no account is looked for before")]
    if not person.correlation:
        field = target.policy.correlation
        return Verdict.NOTHING, [Why(f"HR never said what an account is searched by: {field}")]
    return Verdict.NOTHING, [Why("there is no account, and none is wanted")]


def _search(job: Job) -> Why:
    policy = job.target.policy
    values = job.person.correlation
    shown = [str(masked(value)) if policy.correlation in policy.masked else value for value in values]
    said = " or ".join(f"{policy.correlation} = {value}" for value in shown)
    last = "; one is created where none is found" if policy.on_missing == "create" else ""
    return Why(f"not linked yet: {job.target.name} would be searched by {said}{last}")


def _reading(account: Account) -> Why:
    if account.doubt is not None:
        words = (
            "nobody knows yet what became of the last request, so the account is read first; it was sent at"
        )
        return Why(words, account.doubt.at)
    return Why("the account was never read, so it is read first")


def _request(job: Job, meant: Meant) -> Request:
    send, policy = meant.send, job.target.policy
    body = {name: masked(value) if name in policy.masked else value for name, value in send.changes.items()}
    path = None
    if not isinstance(send, Create) and job.account.remote_id is not None:
        path = job.target.connector.path_of(job.account.remote_id)
    return Request(
        METHODS[write_of(send)],
        path,
        body,
        meant.changes,
        send.revocation,
        not isinstance(send, Create | Demote) and all(_is_plain(job, name) for name in send.changes),
        meant.approved,
    )


def _is_plain(job: Job, name: str) -> bool:
    """Whether the field leaves as it stands in the plan."""
    policy = job.target.policy
    spec = policy.fields[name]
    named = spec.type is FieldType.NAME_SET or spec.opaque
    return not named and name not in policy.containers and "." not in name
