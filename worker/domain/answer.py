"""What an answer does to an account (DESIGN section 3, the engine's side of the table). Pure.

`absorb` gives the account as it is after the answer and what follows: go on at once, wait until a
time, or ask first whether the target itself is well. Nothing here knows HTTP.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from connectors.sdk.fields import same
from connectors.sdk.model import Outcome, OutcomeKind, Record, Rejection
from worker.domain.account import ACCOUNT, LEAVER, Account, Doubt, Hold, Ignored, Reason, Sent, Write
from worker.domain.backoff import delay
from worker.domain.policy import Policy, Timing
from worker.domain.strict_json import digest


@dataclass(frozen=True, slots=True)
class Continue:
    """Decide again now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing before `due_at`."""

    due_at: float


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do for this revision."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The search worked and found nobody: the account is to be created."""


Follow: TypeAlias = Continue | Wait | End | Absent
# Failures whose answer is to read or to search: that this works must not end the count.
_OUTLIVES_A_READ = (OutcomeKind.CONFLICT.value, OutcomeKind.MISSING.value)


class Blame(enum.Enum):
    """Whom an answer speaks against; the engine counts it for the target."""

    NOBODY = "nobody"
    TARGET_DOWN = "unreachable"  # three accounts in a row pause the target
    TARGET_REFUSES = "forbidden"  # three accounts in a row: probe, then pause
    TARGET_SUSPECT = "suspect"  # probe at once
    TARGET_BUSY = "throttled"  # the gate closes
    ACCOUNT_GONE = "missing"  # many in a minute pause the target


@dataclass(frozen=True, slots=True)
class Refusal:
    """A creation or a demotion that the target refused, in its words. `unique`: somebody has a value."""

    name: str
    message: str
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Absorbed:
    account: Account
    follow: Follow
    blame: Blame = Blame.NOBODY
    retry_after_s: float = 0.0
    refusal: Refusal | None = None  # the whole account waits for an operator or for new data


@dataclass(frozen=True, slots=True)
class Moment:
    """All that an answer's meaning depends on beside the account.

    `jitter` is a random number in [0, 1). `healthy`: the target applied something for another
    account since this one last failed, so the failure is this account's own.
    """

    now: float
    jitter: float
    timing: Timing
    healthy: bool = False


def absorb(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:  # noqa: C901 - one row each
    """The account after the answer to a read or a write."""
    match outcome.kind:
        case OutcomeKind.OBSERVED:
            return _observed(account, outcome, policy, at)
        case OutcomeKind.APPLIED:
            return _applied(account, outcome, at)
        case OutcomeKind.NOT_APPLIED | OutcomeKind.UNVERIFIED:
            return _unheeded(account, outcome, policy, at)
        case OutcomeKind.REJECTED:
            return _refused(account, outcome, policy, at)
        case OutcomeKind.AMBIGUOUS:
            return _ambiguous(account, outcome, policy, at)
        case OutcomeKind.CONFLICT:
            return _conflict(account, outcome, at)
        case OutcomeKind.MISSING:
            return _missing(account, outcome, at)
        case OutcomeKind.FORBIDDEN:
            return _back_off(account, outcome, at, Blame.TARGET_REFUSES, attempts=1)
        case OutcomeKind.SUSPECT:
            return _suspect(account, outcome, at)
        case OutcomeKind.UNREACHABLE:
            return _back_off(account, outcome, at, Blame.TARGET_DOWN, attempts=0)
        case OutcomeKind.THROTTLED:
            # without a time, or "in 0 s", the first delay: never a loop
            wait = outcome.retry_after_s or delay(0, at.timing, at.jitter)
            return Absorbed(_unsent(account), Wait(at.now + wait), Blame.TARGET_BUSY, retry_after_s=wait)
        case _ as never:
            assert_never(never)


def _observed(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:
    doubt = account.doubt
    seen = account.saw(outcome.record or {}, at.now)
    if doubt is not None and doubt.write is Write.DELETE:
        return _refuted(seen, doubt, at)
    if doubt is not None and doubt.write is Write.DEMOTE:  # no read shows a password: once more
        return Absorbed(replace(seen, doubt=None), Continue())
    if doubt is None:
        counts_on = account.failure.startswith(_OUTLIVES_A_READ)
        return Absorbed(seen if counts_on else replace(seen, failure=""), Continue())
    if shows(policy, doubt.changes, outcome.record or {}):
        return Absorbed(replace(seen, doubt=None).at_rest(), Continue())
    return _refuted(seen, doubt, at)


def _refuted(account: Account, doubt: Doubt, at: Moment) -> Absorbed:
    """Not applied, or not yet. A revocation goes out again at once, but only once in a row."""
    certain_at = doubt.at + at.timing.late_effect_s
    further = replace(account, level=account.level + 1)
    if at.now >= certain_at:
        return Absorbed(replace(account, doubt=None), Continue())
    if doubt.revocation and account.level == 0:
        return Absorbed(replace(further, doubt=None, recheck_at=certain_at), Continue())
    patient_at = doubt.at + delay(account.level, at.timing, at.jitter)
    return Absorbed(replace(further, must_read=True), Wait(max(certain_at, patient_at)))


def shows(policy: Policy, changes: Record, record: Record) -> bool:
    """Whether every sent field that is still owned shows the wanted value.

    An opaque field shows only whether there is something: a picture in doubt is sent again.
    """
    owned = {name: value for name, value in changes.items() if name in policy.fields}
    return all(
        name in record
        and not (policy.fields[name].opaque and value is not None)
        and same(policy.fields[name], value, record[name])
        for name, value in owned.items()
    )


def _asked(account: Account, policy: Policy) -> Record:
    """What the request was to change, without what went along because the target demands it."""
    sent = account.doubt.changes if account.doubt is not None else {}
    seen = account.observed or {}
    along = {
        name for name in policy.always_send if name in sent and name in seen and sent[name] == seen[name]
    }
    return {name: value for name, value in sent.items() if name not in along} or sent


def _applied(account: Account, outcome: Outcome, at: Moment) -> Absorbed:
    doubt = account.doubt
    if doubt is not None and doubt.write is Write.DELETE:
        return Absorbed(_deleted(account), Continue())
    recheck = at.now + at.timing.revocation_recheck_s if doubt and doubt.revocation else account.recheck_at
    seen = replace(account.saw(outcome.record or {}, at.now), doubt=None, recheck_at=recheck)
    if doubt is not None:
        seen = _remembered(seen, doubt, outcome)
    return Absorbed(seen.at_rest(), Continue())


def _deleted(account: Account) -> Account:
    """Nothing is linked any more, and nothing about the account that was is worth keeping."""
    unlinked = replace(account, remote_id=None, observed=None, must_read=False, doubt=None, recheck_at=None)
    return replace(unlinked, demoted=False, ignored={}, sent={}, held={}, approvals={}).at_rest()


def _remembered(account: Account, doubt: Doubt, outcome: Outcome) -> Account:
    """What only the write itself could tell: a new id, a demotion, the content behind a reference."""
    sent = {
        name: Sent(digest(doubt.changes[name]), content)
        for name, content in outcome.digests.items()
        if name in doubt.changes
    }
    return replace(
        account,
        remote_id=outcome.remote_id if doubt.write is Write.CREATE else account.remote_id,
        demoted=account.demoted or doubt.write is Write.DEMOTE,
        sent={**account.sent, **sent},
    )


def _refused(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:
    """A refused creation: somebody else may have been faster, so search again; else held as a whole."""
    doubt = account.doubt
    if doubt is None or doubt.write is Write.PATCH or account.must_read:
        return _rejected(account, outcome, policy, at)
    counted = replace(_count(account, outcome, at), doubt=None)
    raced = doubt.write is Write.CREATE and any(why.unique for why in outcome.fields.values())
    if raced and counted.attempts <= at.timing.conflict_tries:
        return Absorbed(replace(counted, must_read=True), Continue())
    words = "; ".join(f"{name}: {why.message}" for name, why in outcome.fields.items()) or outcome.detail
    refusal = Refusal(ACCOUNT if doubt.write is Write.CREATE else LEAVER, words, unique=raced)
    return Absorbed(replace(account, doubt=None).at_rest(), End(), refusal=refusal)


def _unheeded(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:
    """The answer did not show the value: never sent again for this value, only read."""
    sent = _asked(account, policy)
    concerned = [name for name in outcome.wrong if name in sent] or list(sent)
    marks = {name: Ignored(digest(sent[name])) for name in concerned}
    known = account.saw(outcome.record, at.now) if outcome.record is not None else account
    unverified = outcome.kind is OutcomeKind.UNVERIFIED
    unheeded = replace(known, doubt=None, must_read=unverified, ignored={**account.ignored, **marks})
    return Absorbed(unheeded.at_rest(), Continue())


def _rejected(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:
    """The named fields are held, the rest goes out once more; nothing named: all that was sent."""
    sent = _asked(account, policy)
    if not sent or account.must_read:  # it was the read that is refused
        return _back_off(account, outcome, at, Blame.NOBODY, attempts=1)
    named = {name: why for name, why in outcome.fields.items() if name in sent}
    whole = Rejection(outcome.detail or "; ".join(f"{k}: {v.message}" for k, v in outcome.fields.items()))
    refused = named or dict.fromkeys(sent, whole)
    holds = {
        name: Hold(Reason.UNIQUE if why.unique else Reason.REJECTED, why.message, digest(sent[name]), at.now)
        for name, why in refused.items()
    }
    return Absorbed(replace(account, doubt=None).hold(holds).at_rest(), Continue())


def _ambiguous(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:
    """It may have been applied: read now. A read that fails waits."""
    failed = _count(account, outcome, at)
    if account.doubt is None or account.must_read:
        return _back_off(account, outcome, at, Blame.NOBODY, attempts=1)
    failed = replace(failed, doubt=replace(account.doubt, at=at.now))  # it may land as late from now on
    if at.healthy and failed.attempts >= at.timing.same_failure_limit:
        return Absorbed(_hold_fault(failed, _asked(account, policy), outcome, at), Continue())
    return Absorbed(replace(failed, must_read=True), Continue())


def _hold_fault(account: Account, sent: Record, outcome: Outcome, at: Moment) -> Account:
    message = f"the target failed {account.attempts} times alike for this account: {outcome.detail}"
    holds = {name: Hold(Reason.FAULT, message, digest(value), at.now) for name, value in sent.items()}
    return replace(account, must_read=True, attempts=0, failure="").hold(holds)


def _missing(account: Account, outcome: Outcome, at: Moment) -> Absorbed:
    """Look for it again. A search that finds what then is missing again must not become a loop."""
    if account.doubt is not None and account.doubt.write is Write.DELETE:
        return Absorbed(_deleted(account), Continue())
    counted = _count(account, outcome, at)
    gone = replace(_unsent(counted), remote_id=None, observed=None, must_read=True)
    if gone.attempts > at.timing.conflict_tries:
        return _back_off(gone, outcome, at, Blame.ACCOUNT_GONE, attempts=0)
    return Absorbed(gone, Continue(), Blame.ACCOUNT_GONE)


def _conflict(account: Account, outcome: Outcome, at: Moment) -> Absorbed:
    failed = replace(_unsent(_count(account, outcome, at)), must_read=True)
    if failed.attempts > at.timing.conflict_tries:
        return _back_off(failed, outcome, at, Blame.NOBODY, attempts=0)
    return Absorbed(failed, Continue())


def _suspect(account: Account, outcome: Outcome, at: Moment) -> Absorbed:
    """A login page with status 200 may still have been applied: what was sent stays in doubt."""
    doubted = replace(account, must_read=account.must_read or account.doubt is not None)
    return _back_off(doubted, outcome, at, Blame.TARGET_SUSPECT, attempts=0)


def _back_off(account: Account, outcome: Outcome, at: Moment, blame: Blame, attempts: int) -> Absorbed:
    wait = delay(account.level, at.timing, at.jitter)
    counted = _count(account, outcome, at) if attempts else account
    later = replace(_unsent(counted), level=account.level + 1)
    return Absorbed(later, Wait(at.now + wait), blame)


def _unsent(account: Account) -> Account:
    """A refused write left nothing in doubt; what was in doubt before a failed read still is."""
    return account if account.must_read else replace(account, doubt=None)


def _count(account: Account, outcome: Outcome, at: Moment) -> Account:
    failure = f"{outcome.kind.value}:{outcome.exchange.status}"
    if account.failure == failure:
        return replace(account, attempts=account.attempts + 1)
    return replace(account, attempts=1, failure=failure, failing_since=at.now)
