"""What to do next with one account: find, read, send, or nothing. Pure and total.

`decide` looks only at its arguments. The engine carries out the step, gives the answer to
`worker.domain.answer.absorb`, and asks again until the step is `Done` or `Later`.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from connectors.sdk.fields import FieldType, same
from connectors.sdk.model import Json, Record
from worker.domain import guard
from worker.domain.account import (
    ACCOUNT,
    FAULT,
    LEAVER,
    QUIET,
    RETURNER,
    SCOPE,
    Account,
    Hold,
    Ignored,
    Person,
    Reason,
)
from worker.domain.decisions import is_granted, still_bound
from worker.domain.leaving import (
    as_leaver,
    has_left,
    hold_leaver,
    is_to_delete,
    is_to_demote,
    leaves_scope,
    told_apart,
)
from worker.domain.policy import Policy, Timing
from worker.domain.sets import with_memberships
from worker.domain.strict_json import digest

_JUDGED = frozenset({Reason.PRIVILEGED, Reason.APPROVAL})
_OUR_OWN = frozenset({Reason.VALUE, Reason.MAPPING})  # over as soon as the person has no such problem
_Sends: TypeAlias = dict[str, guard.Verdict]  # field -> what goes out


@dataclass(frozen=True, slots=True)
class Find:
    """Search the target for the person's account."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read the account."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Send these fields. A revocation is a request of its own, and the first."""

    changes: Record
    revocation: bool


@dataclass(frozen=True, slots=True)
class Create:
    """Create the account with these values; only after a search that found none."""

    changes: Record
    revocation: bool = False


@dataclass(frozen=True, slots=True)
class Demote:
    """Take every right away and set a password that nobody knows."""

    changes: Record = field(default_factory=dict)
    revocation: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do for this revision. `planned` is what observe mode would have sent."""

    planned: Record | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Look again at `due_at`; the revision is not acknowledged yet."""

    due_at: float


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing may be sent before a run has judged the target's new mapping; nothing is acknowledged."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the account; only with somebody's approval."""

    changes: Record = field(default_factory=dict)
    revocation: bool = True


@dataclass(frozen=True, slots=True)
class Census:
    """Ask whether another superuser is left, before one is taken away."""


Send: TypeAlias = Patch | Create | Demote | Delete
Step: TypeAlias = Find | Fetch | Census | Send | Done | Later | Withheld


@dataclass(frozen=True, slots=True)
class Decision:
    account: Account
    step: Step


def decide(  # noqa: PLR0913 - a pure function names all it depends on
    account: Account, person: Person, policy: Policy, timing: Timing, now: float, claimed_at: float
) -> Decision:
    """The next step; `claimed_at` is since when no one else may have written the account."""
    person = with_memberships(as_leaver(person, policy), account, policy)
    account = _recheck(_release(account, person, policy), now)
    if not person.in_scope and not leaves_scope(person, policy):
        return _outside(account, policy, now)
    account = account.release([SCOPE])
    if account.remote_id is None:
        return _unlinked(account, person) if person.in_scope else Decision(account, Done())
    if account.observed is None or account.must_read or account.doubt is not None:
        return Decision(replace(account, must_read=True), Fetch())
    protected = guard.protection(account, policy, now)
    if protected is not None:
        return Decision(account.hold({ACCOUNT: protected}), Done())
    account = told_apart(account.release([ACCOUNT]), person, policy, now)
    account = still_bound(account, person, policy, now)
    if is_to_delete(account, person, policy):
        return Decision(account, Done(planned={}) if policy.observe_only else Delete())
    if is_to_demote(account, person, policy):
        return Decision(account, Done(planned={}) if policy.observe_only else Demote())
    return _compare(account, person, policy, timing, now, claimed_at)


def _recheck(account: Account, now: float) -> Account:
    """A revocation is read once more some time after it was applied."""
    if account.recheck_at is None or account.recheck_at > now:
        return account
    return replace(account, must_read=True, recheck_at=None)


def _release(account: Account, person: Person, policy: Policy) -> Account:
    """New data for a field releases its hold; so does what ended a hold of the whole account."""
    over = [name for name, hold in account.held.items() if _is_over(name, hold, account, person, policy)]
    return account.release(over)


def _is_over(name: str, hold: Hold, account: Account, person: Person, policy: Policy) -> bool:
    if name == ACCOUNT:
        return account.remote_id is not None and hold.reason is not Reason.PROTECTED
    if name == LEAVER:
        return not person.leaver and person.in_scope
    if name == RETURNER:
        return has_left(person)
    if name == SCOPE:
        return person.in_scope
    if name == FAULT:  # to be here is to be tried again
        return True
    if name == policy.name_field and hold.reason is Reason.PROTECTED:
        return not guard.is_protected_name(person.wanted.get(name), policy)
    if name in person.problems:
        return hold.value_hash != person.problems[name].value_hash
    if name not in person.wanted or hold.reason in _OUR_OWN:
        return True
    return hold.value_hash not in _hashes(account, policy, name, person.wanted[name])


def _hashes(account: Account, policy: Policy, name: str, value: Json) -> set[str]:
    """What a hold may stand for: the wanted value, or the part of a set that goes out first."""
    verdict = guard.judge(policy.fields[name], policy, (account.observed or {}).get(name), value, 0.0)
    return {digest(value), digest(verdict.value)} if verdict.send else {digest(value)}


def _outside(account: Account, policy: Policy, now: float) -> Decision:
    if account.remote_id is None or policy.on_leave_scope == "nothing":  # never ours, or not to be told
        return Decision(account.release([SCOPE]), Done())
    message = f"the person left the scope of {policy.target}: targets.{policy.target}.on_leave_scope"
    return Decision(account.hold({SCOPE: Hold(Reason.SCOPE, message, "", now)}), Done())


def _unlinked(account: Account, person: Person) -> Decision:
    if ACCOUNT in account.held and account.held[ACCOUNT].reason is Reason.UNLINKED:
        return Decision(account, Done())  # whatever HR says, and whoever asks for a read
    unasked = account.is_held(ACCOUNT, person.correlation_hash) and not account.must_read
    early = person.waits and account.doubt is None
    if unasked or early or not person.correlation:
        return Decision(account, Done())
    return Decision(account, Find())


def _compare(  # noqa: PLR0913 - as decide
    account: Account, person: Person, policy: Policy, timing: Timing, now: float, claimed_at: float
) -> Decision:
    account = hold_leaver(account.hold(person.problems), person, policy, now)
    differing = {
        name: value for name, value in person.wanted.items() if _differs(account, policy, name, value)
    }
    account = account.release(name for name in person.wanted if name not in differing)
    changed = _open(account, differing, policy)
    if changed and _is_stale(account, changed.keys() & policy.containers, timing, now, claimed_at):
        return Decision(account, Fetch())
    account, sends = _guarded(account, changed, policy, now)
    account, sends = _split_ignored(account, sends, policy, timing, now)
    if not sends and account.ignored:
        return _read_again(account, timing, now)
    return _send(account, sends, policy)


def _differs(account: Account, policy: Policy, name: str, value: Json) -> bool:
    observed = account.observed or {}
    if name not in observed:
        return True
    if policy.fields[name].opaque and value is not None:
        sent = account.sent.get(name)
        return observed[name] is None or sent is None or sent.reference != digest(value)
    return not same(policy.fields[name], value, observed[name])


def _open(account: Account, differing: Mapping[str, Json], policy: Policy) -> dict[str, Json]:
    """The fields that no hold keeps back. Grants are judged anew: their removals must pass."""
    kept = {policy.active_field} if LEAVER in account.held else set()
    for name, value in differing.items():
        if _is_refused(account, name, value) and not _is_judged_in_parts(account, policy, name):
            kept.add(name)
    return {name: value for name, value in differing.items() if name not in kept}


def _is_judged_in_parts(account: Account, policy: Policy, name: str) -> bool:
    """A grant that somebody discarded or declined keeps no removal of the same set back."""
    spec = policy.fields[name]
    parts = spec.privileged and spec.type in (FieldType.ID_SET, FieldType.NAME_SET)
    return parts and account.held[name].reason in QUIET


def _is_stale(
    account: Account, containers: AbstractSet[str], timing: Timing, now: float, claimed_at: float
) -> bool:
    if containers and account.observed_at < claimed_at:
        return True
    return now - account.observed_at > timing.observe_max_age_s


def _split_ignored(
    account: Account, sends: _Sends, policy: Policy, timing: Timing, now: float
) -> tuple[Account, _Sends]:
    """Fields that the target did not heed are not sent again: read a few times, then held."""
    pending: dict[str, Ignored] = {}
    holds: dict[str, Hold] = {}
    for name, mark in account.ignored.items():
        if name not in sends or mark.value_hash != digest(sends[name].value):
            continue
        if mark.reads < len(timing.reread_s):
            pending[name] = mark
            continue
        message = f"ignored by the target: {policy.title} answered success and kept its own value"
        holds[name] = Hold(Reason.IGNORED, message, mark.value_hash, now)
    account = replace(account, ignored=pending).hold(holds)
    return account, {
        name: verdict for name, verdict in sends.items() if name not in pending and name not in holds
    }


def _read_again(account: Account, timing: Timing, now: float) -> Decision:
    wait = timing.reread_s[min(mark.reads for mark in account.ignored.values())]
    marks = {name: replace(mark, reads=mark.reads + 1) for name, mark in account.ignored.items()}
    return Decision(replace(account, ignored=marks, must_read=True), Later(now + wait))


def _guarded(
    account: Account, changed: Mapping[str, Json], policy: Policy, now: float
) -> tuple[Account, _Sends]:
    """What may go out, and a hold for each grant that may not."""
    sends: _Sends = {}
    holds: dict[str, Hold] = {}
    for name, value in changed.items():
        verdict = guard.judge(policy.fields[name], policy, (account.observed or {}).get(name), value, now)
        if is_granted(account, name):
            verdict = guard.approved(verdict, value)
        if verdict.send and _is_refused(account, name, verdict.value):
            continue
        if verdict.hold is not None:
            holds[name] = verdict.hold
        if verdict.send:
            sends[name] = verdict
    return account.hold(holds), sends


def _is_refused(account: Account, name: str, value: Json) -> bool:
    """Held for this very value, and not by a guard, which judges anew each time."""
    return account.is_held(name, digest(value)) and account.held[name].reason not in _JUDGED


def decide_create(account: Account, person: Person, policy: Policy, now: float) -> Decision:
    """Create the account that a search did not find: every good value, but no grant that is denied."""
    account = still_bound(account.hold(person.problems), person, policy, now)
    account, sends = _guarded(account, person.wanted, policy, now)
    values = {name: verdict.value for name, verdict in sends.items() if verdict.value not in (None, [])}
    if policy.name_field in policy.fields and policy.name_field not in values:
        return Decision(account, Done())  # its name is held: nobody is created without one
    if policy.observe_only:
        return Decision(account, Done(planned=values))
    return Decision(account, Create(values))


def _send(account: Account, sends: _Sends, policy: Policy) -> Decision:
    if not sends:
        return Decision(account.at_rest(), Done())
    if policy.observe_only:
        return Decision(account, Done(planned={name: verdict.value for name, verdict in sends.items()}))
    revocations = {name: verdict.value for name, verdict in sends.items() if verdict.revocation}
    changes = revocations or {name: verdict.value for name, verdict in sends.items()}
    if policy.active_field in revocations:  # alone: what becomes of another right must not hold it
        changes = {name: value for name, value in revocations.items() if name == policy.active_field}
    observed = account.observed or {}
    along = {
        name: observed[name] for name in policy.always_send if name in observed and name in policy.fields
    }
    return Decision(account, Patch({**along, **changes}, revocation=bool(revocations)))
