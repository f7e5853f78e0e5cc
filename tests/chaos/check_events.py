"""No event is lost: each ends at every target, and the accounts show what HR said and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos import scenario as scenes
from tests.chaos.configuration import protected_subjects
from tests.chaos.evidence import Evidence, Violation
from tests.chaos.facts import Account
from tests.demo import oracle

LOST, FOREIGN = "lost", "foreign"
_EXPECTED_HOLDS = {"privileged", "protected", "brake", "leaver"}
_FAULTS_ALLOWED = 3
_WHOLE = {"@account"}


def lost(evidence: Evidence) -> Iterator[Violation]:
    """Accepted events that are not there, not folded, or not at their end at some target."""
    due = scenes.accepted_ids(evidence.scenario)
    known = {event.id: event for event in evidence.facts.events}
    for name in sorted(due ^ known.keys()):
        yield Violation(LOST, f"event {name}", "accepted and not stored" if name in due else "never accepted")
    for event in known.values():
        if not event.folded or event.effect not in ("changed", "unchanged", "superseded"):
            yield Violation(LOST, f"event {event.id}", "stored and never folded")
    yield from _unsettled(evidence)


def _unsettled(evidence: Evidence) -> Iterator[Violation]:
    facts = evidence.facts
    seen = {(account.identity, account.target) for account in facts.accounts}
    for identity, subject in facts.subjects.items():
        for target in scenes.TARGETS:
            if (identity, target) not in seen:
                yield Violation(LOST, f"{subject} at {target}", "has no account row")
    for account in facts.accounts:
        where = f"{facts.subjects[account.identity]} at {account.target}"
        if account.applied_revision != facts.revisions[account.identity]:
            behind = f"revision {account.applied_revision} of {facts.revisions[account.identity]}"
            yield Violation(LOST, where, f"is acknowledged up to {behind}")
        if account.open or account.in_doubt:
            yield Violation(LOST, where, "has something left to do" if account.open else "is in doubt")


def wrong(evidence: Evidence) -> Iterator[Violation]:
    """Accounts that do not show what HR said, and accounts of nobody that changed at all."""
    people = scenes.truth(evidence.scenario)
    held = {
        (evidence.facts.subjects[account.identity], account.target): account.held
        for account in evidence.facts.accounts
    }
    protected = protected_subjects(evidence.scenario)
    subjects = evidence.scenario.subjects
    for target in scenes.TARGETS:
        before, after = evidence.before[target], evidence.after[target]
        for number in sorted(before.keys() ^ after.keys()):
            yield Violation(FOREIGN, f"account {number} at {target}", "came or went")
        for number in sorted(before.keys() & after.keys()):
            subject = subjects.get(number)
            untouchable = subject is None or subject in protected
            fields = held.get((subject or "", target), {})
            start, shown = oracle.flat(before[number]), oracle.flat(after[number])
            person = {} if untouchable else people.get(subject or "", {})
            wanted = oracle.wanted_row(target, start, person, fields.keys())
            invariants = owned_fields(target)
            for line in oracle.differences(target, wanted, shown):
                owned = line.partition(":")[0] in invariants and not untouchable
                where = f"{subject or 'foreign account'} ({number}) at {target}"
                yield Violation(LOST if owned else FOREIGN, where, line)


def owned_fields(target: str) -> set[str]:
    return set(oracle.FIELDS[target])


def holds(evidence: Evidence) -> Iterator[Violation]:
    """Holding is an end, but not one for everything: only where the scenario gives a reason."""
    faults: list[Account] = []
    for account in evidence.facts.accounts:
        where = f"{evidence.facts.subjects[account.identity]} at {account.target}"
        if "fault" in account.held.values():
            faults.append(account)
        for field, reason in account.held.items():
            if reason not in _EXPECTED_HOLDS and reason != "fault":
                yield Violation(LOST, where, f"{field} is held for no good reason: {reason}")
    if len(faults) > _FAULTS_ALLOWED:
        yield Violation(LOST, f"{len(faults)} accounts", "are held as if their target failed for them alone")
