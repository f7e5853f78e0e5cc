"""Planning: what would be sent where, and why nothing is. Reads rows, and the target where asked to.

Promise: nothing is written, neither to the database nor to a target. What is shown is what the same
configuration, the same rows and the same answers of the target make a sync send next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.event import Event
from worker.domain.guard import brake_limit
from worker.domain.identity import Identity
from worker.domain.plan import Withheld
from worker.domain.policy import Timing
from worker.domain.restraint import is_restrained, restrained
from worker.engine.account_plan import AccountPlan, Around, Why, account_plan
from worker.engine.braking import Brake
from worker.engine.choosing import dates_of, taking
from worker.engine.foreseeing import Fold, folded_in
from worker.engine.rehearsal import Rehearsal, Rehearsed
from worker.engine.rows import Claim, TargetState
from worker.engine.target import Target
from worker.engine.view_ports import AccountLook, Known, View, Viewer

PAGE = 200
CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PersonPlan:
    subject: str
    known: bool
    folds: tuple[Fold, ...]
    accounts: tuple[AccountPlan, ...]


@dataclass(frozen=True, slots=True)
class PlanRules:
    """The engine's settings that decide. `tolerance_s`: how far ahead an event's time may be."""

    timing: Timing
    brake: Brake
    crash_limit: int
    tolerance_s: float


class Planning:
    """`targets` by name. `reads`: ask each target (GET only) instead of taking its last answer."""

    def __init__(
        self, viewer: Viewer, targets: Mapping[str, Target], rules: PlanRules, *, reads: bool = False
    ) -> None:
        self._viewer = viewer
        self._targets = targets
        self._rules = rules
        self._reads = reads
        self._unheard: dict[str, str] = {}  # target -> why it is not read

    def of_person(self, subject: str, said: Sequence[Event] = ()) -> PersonPlan:
        """At every target. What is stored and waits to be folded counts, and then what is `said`."""
        with self._viewer.begin() as view:
            known = view.person(subject)
            grown = folded_in(view, known or Known(0, Identity(subject)), said, self._rules.tolerance_s)
            looks = {look.claim.account.target_id: look for look in _all_of(view, subject)}
            states = view.targets()
        moved = any(fold.effect == CHANGED for fold in grown.folds)
        plans = []
        for name, target in sorted(self._targets.items()):
            look = looks.get(target.id) or _fresh(target, grown.known)
            claim = replace(look.claim, identity=grown.known.identity)
            plans.append(self._plan(replace(look, claim=claim), target, states.get(name), moved=moved))
        return PersonPlan(subject, known is not None, grown.folds, tuple(plans))

    def of_accounts(self, selection: Mapping[str, Json]) -> Iterator[AccountPlan]:
        """Each account of a selection as stored, in the order of the rows, page by page."""
        by_row = {target.id: target for target in self._targets.values()}
        revoked: dict[int, int] = {}
        after = 0
        while True:
            with self._viewer.begin() as view:
                looks, states = view.accounts(selection, after, PAGE), view.targets()
                takes = taking(selection, dates_of(by_row.values()), view.now)
                ready = [look for look in looks if look.claim.account.target_id in by_row]
                ready = [look for look in ready if takes(look.claim.identity)]
                here = None if self._reads else view  # requests must not keep a transaction open
                plans: Iterator[AccountPlan] = (
                    self._counted(look, by_row[look.claim.account.target_id], states, revoked, here)
                    for look in ready
                )
                if here is not None:
                    plans = iter([*plans])
            yield from plans
            if len(looks) < PAGE:
                return
            after = looks[-1].claim.account.id

    def _counted(
        self,
        look: AccountLook,
        target: Target,
        states: Mapping[str, TargetState],
        revoked: dict[int, int],
        view: View | None,
    ) -> AccountPlan:
        """What is planned for one account counts for the brake of the next."""
        planned = self._plan(look, target, states.get(target.name), view, revoked.get(target.id, 0))
        if any(request.revocation for request in planned.requests):
            revoked[target.id] = revoked.get(target.id, 0) + 1
        return planned

    def _plan(  # noqa: PLR0913 - what one account's plan depends on
        self,
        look: AccountLook,
        target: Target,
        state: TargetState | None,
        view: View | None = None,
        revoked: int = 0,
        *,
        moved: bool = False,
    ) -> AccountPlan:
        begin = self._viewer.begin if view is None else lambda: nullcontext(view)
        unread = self._unread(target, state) if self._reads else ""
        rules = self._rules
        reads = self._reads and not unread
        rehearsal = Rehearsal(begin, rules.timing, rules.brake, rules.crash_limit, reads)
        seen = rehearsal.of(target, look.claim, revoked)
        with begin() as shown:
            braked = self._brake(shown, target, look.claim.account) if view is None else None
            blocked = [*_unjudged(seen, state), *_blockers(look, target, state, shown.now, moved=moved)]
        notes = tuple(Why(note) for note in (*seen.notes, unread) if note)
        seen.unanswered = seen.unanswered or bool(unread)
        return account_plan(target, seen, Around(look, tuple(blocked), notes, braked))

    def _brake(self, view: View, target: Target, account: Account) -> tuple[int, int]:
        brake = self._rules.brake
        sent = view.revocations(target.id, view.now - brake.window_s, but=account.id)
        return sent, brake_limit(view.linked(target.id), brake.least, brake.share)

    def _unread(self, target: Target, state: TargetState | None) -> str:
        """Why the target is not asked although that is wished. It is asked first whose token ours is."""
        if state is not None and state.paused:
            return f"not read: {target.name} is paused"
        if target.name not in self._unheard:
            self._unheard[target.name] = self._introduced(target, state)
        return self._unheard[target.name]

    def _introduced(self, target: Target, state: TargetState | None) -> str:
        with self._viewer.begin() as view:
            if state is not None and state.gate_until > view.now:
                return f"not read: {target.name} asked us to wait"
        report = target.connector.check()
        if not report.healthy and report.owner is None:
            why = report.problems[0] if report.problems else "it does not answer"
            return f"not read: the connection check failed: {why}"
        ours = target.connector.descriptor.owner_only
        target.rules.introduce(*((None, None) if ours else (report.owner, report.owner_id)))
        return ""


def _all_of(view: View, subject: str) -> list[AccountLook]:
    return view.accounts({"subjects": [subject]}, 0, PAGE)


def _fresh(target: Target, known: Known) -> AccountLook:
    """An account that no event has made yet."""
    claim = Claim(Account(0, known.row, target.id), known.identity, None, 0.0, crashed=False)
    return AccountLook(claim)


def _unjudged(seen: Rehearsed, state: TargetState | None) -> Iterator[Why]:
    """What a run has to judge first, as `worker.domain.restraint` has it."""
    job = seen.job
    if state is None or state.mapping_run is None or state.fingerprint != job.target.fingerprint:
        return
    if is_restrained(job.claim.account, job.target.fingerprint):
        steps = (restrained(meant.send, job.person) for meant in seen.meant)
        if any(isinstance(step, Withheld) for step in steps):
            run = f"run {state.mapping_run}"
            yield Why(
                f"{run} has yet to judge the new configuration: `hirewire runs show {state.mapping_run}`"
            )


def _blockers(
    look: AccountLook, target: Target, state: TargetState | None, now: float, *, moved: bool
) -> list[Why]:
    """What keeps a worker from sending to this account now, whatever there is to send."""
    found = [*_of_target(target, state, now)]
    claim = look.claim
    if look.leased and (look.due_at or 0) > now:
        found.append(Why("a worker has it in hand, until", look.due_at))
    elif look.due_at is not None and look.due_at > now and not moved:
        failure = claim.account.failure
        again = f"after {failure} it is tried again at" if failure else "it is looked at again at"
        found.append(Why(again, look.due_at))
    elif look.due_at is None and not moved:
        found.append(Why("it is not due: the next event, resync or run has it looked at"))
    return found


def _of_target(target: Target, state: TargetState | None, now: float) -> Iterator[Why]:
    if state is None or state.fingerprint is None:
        yield Why(f"{target.name} is new: no worker has met it yet")
        return
    if state.paused:
        yield Why(
            f"{target.name} is paused: {state.reason}; `hirewire targets resume {target.name}` ends that"
        )
    if state.gate_until > now:
        yield Why(f"{target.name} asked us to wait until", state.gate_until)
    if state.fingerprint != target.fingerprint:
        yield Why(f"the workers have another configuration of {target.name} than this one")
