"""The guards hold while everything else breaks: rights, protected accounts, the brake. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.evidence import Evidence, Log, Violation, account_of
from tests.chaos.scenario import OWNER_ID, TARGETS, subject_of

GUARDS = "guard_violations"
BRAKE_MIN, BRAKE_SHARE = 5, 0.05
_RIGHTS = frozenset(
    {"is_superuser", "is_staff", "is_admin", "is_system_auditor", "groups", "user_permissions", "type"}
)
_DEACTIVATING = ("authentik", "staff_users")


def all_of(evidence: Evidence) -> Iterator[Violation]:
    for log in evidence.logs:
        yield from passed(evidence, log)
    yield from _unheld(evidence)


def passed(evidence: Evidence, log: Log) -> Iterator[Violation]:
    """Requests that no guard should have let through, whatever became of them."""
    untouchable = {OWNER_ID} | {
        evidence.scenario.ids[subject_of(n)] for n in evidence.scenario.cast.protected
    }
    off: set[int] = set()
    for entry in log.writes:
        number = account_of(entry)
        where = f"account {number} at {log.target}, request {entry['request_id']}"
        body = entry["body"] if isinstance(entry["body"], dict) else {}
        if entry["method"] != "PATCH":
            yield Violation(GUARDS, where, f"a {entry['method']} that nobody may send")
        if rights := _RIGHTS & body.keys():
            yield Violation(GUARDS, where, f"names {', '.join(sorted(rights))}")
        if number in untouchable:
            yield Violation(GUARDS, where, "is protected, and was written")
        if body.get("is_active") is False and number is not None:
            off.add(number)
    limit = max(BRAKE_MIN, int(len(evidence.scenario.ids) * BRAKE_SHARE))
    if len(off) > limit:
        yield Violation(GUARDS, log.target, f"{len(off)} accounts were deactivated, the brake allows {limit}")


def _unheld(evidence: Evidence) -> Iterator[Violation]:
    """What the guards kept back must be held, and held for that reason."""
    cast, facts = evidence.scenario.cast, evidence.facts
    held = {
        (facts.subjects[account.identity], account.target): set(account.held.values())
        for account in facts.accounts
    }
    for person in cast.promoted:
        if "privileged" not in held.get((subject_of(person), "awx"), set()):
            yield Violation(GUARDS, f"{subject_of(person)} at awx", "the grant is not held")
    for person in cast.protected:
        for target in TARGETS:
            if "protected" not in held.get((subject_of(person), target), set()):
                yield Violation(GUARDS, f"{subject_of(person)} at {target}", "is not held as protected")
    for person in cast.leavers:
        for target in _DEACTIVATING:
            number = evidence.scenario.ids[subject_of(person)]
            active = evidence.after[target][number]["is_active"]
            if active and "brake" not in held.get((subject_of(person), target), set()):
                yield Violation(
                    GUARDS, f"{subject_of(person)} at {target}", "left, and is active and not held"
                )
