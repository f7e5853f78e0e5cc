"""The checker itself: silent about a run that was right, and loud about each single thing that was not."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos import check_audit, check_guards, check_writes, checker, scenario
from tests.chaos.evidence import Evidence, Log
from tests.chaos.facts import Account, Event, Facts
from tests.chaos.profile import Profile
from tests.demo import oracle

SCENE = scenario.build(Profile(seed=7, events=400, people=40, minutes=0.1, portions=4))
SOMEBODY = next(
    person
    for person in range(1, 41)
    if not any(person in part for part in (SCENE.cast.leavers, SCENE.cast.promoted, SCENE.cast.protected))
)
SUBJECT = scenario.subject_of(SOMEBODY)
NUMBER = SCENE.ids[SUBJECT]
AT = 1_800_000_000.0


def row(target: str, number: int, users: list[dict[str, Any]]) -> dict[str, Any]:
    """As the target's database shows a seeded account."""
    seed: Mapping[str, Any] = next(user for user in users if user["id"] == number)
    shown = {**seed, "is_active": True, "is_superuser": seed.get("is_superuser", False)}
    if target == "authentik" and "name" not in shown:
        names = (shown.pop("first_name", ""), shown.pop("last_name", ""))
        shown = {**shown, "name": " ".join(names).strip(), "attributes": shown.get("attributes", {})}
    return shown


def right() -> Evidence:
    """A run after which everything is as it must be; it needed one PATCH, for somebody at AWX."""
    people = scenario.truth(SCENE)
    before: dict[str, dict[int, dict[str, Any]]] = {}
    after: dict[str, dict[int, dict[str, Any]]] = {}
    accounts: list[Account] = []
    for target in scenario.TARGETS:
        users = SCENE.seeds[target]["users"]
        before[target] = {user["id"]: row(target, user["id"], users) for user in users}
        after[target] = {1: before[target][1]}
        for subject, number in SCENE.ids.items():
            held = holds(target, number)
            start = before[target][number]
            wanted = oracle.wanted_row(target, oracle.flat(start), people[subject], held)
            after[target][number] = unflat(start if "@account" in held else wanted)
            accounts.append(Account(number, target, str(number), 1, open=False, in_doubt=False, held=held))
    facts = Facts(
        events=[Event(name, True, "changed", 1, 1) for name in sorted(scenario.accepted_ids(SCENE))],
        revisions=dict.fromkeys(SCENE.ids.values(), 1),
        subjects=SCENE.subjects,
        accounts=accounts,
        audit=[record("intended"), record("applied")],
    )
    return Evidence(
        SCENE, [Log("awx", [entry()]), Log("authentik", []), Log("staff_users", [])], before, after, facts
    )


def unflat(shown: Mapping[str, Any]) -> dict[str, Any]:
    below = {name.removeprefix("attributes."): value for name, value in shown.items() if "." in name}
    plain = {name: value for name, value in shown.items() if "." not in name}
    return {**plain, "attributes": below} if below else plain


def holds(target: str, number: int) -> dict[str, str]:
    person, cast = scenario.person_of(number), SCENE.cast
    if person in cast.protected:
        return {"@account": "protected"}
    if person in cast.promoted and target == "awx":
        return {"is_superuser": "privileged"}
    if person in cast.leavers and target != "awx":
        return {"is_active": "brake"}
    return {}


def entry(**more: Any) -> dict[str, Any]:
    body = {"first_name": f"Gn{SOMEBODY}x3"}
    base = {
        "n": 1,
        "at": AT,
        "method": "PATCH",
        "path": f"/api/v2/users/{NUMBER}/",
        "body": body,
        "fault": None,
    }
    return (
        base | {"status": 200, "applied": True, "request_id": "r1", "turn": 1, "applied_at": AT + 0.1} | more
    )


def record(word: str, **more: Any) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(AT - 1, dt.UTC).isoformat()
    changes = [{"field": "first_name", "after": f"Gn{SOMEBODY}x3"}]
    path = f"/api/v2/users/{NUMBER}/"
    base = {"action": f"account:patch:{word}", "request": "r1", "at": at, "target": "awx", "path": path}
    return {**base, "changes": changes, **more}


def with_log(evidence: Evidence, *entries: dict[str, Any]) -> Evidence:
    return replace(evidence, logs=[Log("awx", list(entries)), *evidence.logs[1:]])


def with_facts(evidence: Evidence, **more: Any) -> Evidence:
    return replace(evidence, facts=replace(evidence.facts, **more))


def with_row(evidence: Evidence, target: str, number: int, **more: Any) -> Evidence:
    rows = dict(evidence.after[target])
    rows[number] = {**rows[number], **more}
    return replace(evidence, after={**evidence.after, target: rows})


def with_account(evidence: Evidence, **more: Any) -> Evidence:
    first, *rest = evidence.facts.accounts
    return with_facts(evidence, accounts=[replace(first, **more), *rest])


def test_a_run_that_was_right_is_not_blamed() -> None:
    assert checker.violations(right()) == []


BREAKS: dict[str, tuple[str, Callable[[Evidence], Evidence]]] = {
    "an event is missing": ("lost", lambda run: with_facts(run, events=run.facts.events[1:])),
    "an event is not folded": (
        "lost",
        lambda run: with_facts(
            run, events=[replace(run.facts.events[0], folded=False), *run.facts.events[1:]]
        ),
    ),
    "an account is behind": ("lost", lambda run: with_account(run, applied_revision=0)),
    "an account is still due": ("lost", lambda run: with_account(run, open=True)),
    "an account is in doubt": ("lost", lambda run: with_account(run, in_doubt=True)),
    "an account has no row": ("lost", lambda run: with_facts(run, accounts=run.facts.accounts[1:])),
    "held for no good reason": ("lost", lambda run: with_account(run, held={"email": "rejected"})),
    "an owned field is wrong": ("lost", lambda run: with_row(run, "awx", NUMBER, email="x@example.com")),
    "a foreign field is touched": ("foreign", lambda run: with_row(run, "awx", NUMBER, ldap_dn="x")),
    "a foreign account is touched": ("foreign", lambda run: with_row(run, "awx", 1, email="x@example.com")),
    "a value goes back": (
        "stale_writes",
        lambda run: with_log(run, entry(), entry(turn=2, body={"first_name": f"Gn{SOMEBODY}x2"})),
    ),
    "somebody else's value": (
        "stale_writes",
        lambda run: with_log(run, entry(body={"first_name": f"Gn{SOMEBODY + 1}x3"})),
    ),
    "no intent": ("unaudited_requests", lambda run: with_facts(run, audit=[record("applied")])),
    "two intents": (
        "unaudited_requests",
        lambda run: with_facts(run, audit=[record("intended"), *run.facts.audit]),
    ),
    "an intent that is younger": (
        "unaudited_requests",
        lambda run: with_facts(run, audit=[record("intended", at="2100-01-01T00:00:00Z"), record("applied")]),
    ),
    "an intent that says something else": (
        "unaudited_requests",
        lambda run: with_facts(run, audit=[record("intended", changes=[]), record("applied")]),
    ),
    "no outcome": ("unaudited_requests", lambda run: with_facts(run, audit=[record("intended")])),
    "two outcomes": (
        "unaudited_requests",
        lambda run: with_facts(run, audit=[*run.facts.audit, record("ambiguous")]),
    ),
    "told as not sent": (
        "unaudited_requests",
        lambda run: with_facts(run, audit=[record("intended"), record("not_sent")]),
    ),
    "told as applied, never seen": ("unaudited_requests", with_log),
    "no request id": ("unaudited_requests", lambda run: with_log(run, entry(request_id=None))),
    "the same id twice": ("unaudited_requests", lambda run: with_log(run, entry(), entry(turn=2))),
    "a right is sent": ("guard_violations", lambda run: with_log(run, entry(body={"is_superuser": True}))),
    "a method that nobody may send": ("guard_violations", lambda run: with_log(run, entry(method="DELETE"))),
    "our own account is written": (
        "guard_violations",
        lambda run: with_log(run, entry(path="/api/v2/users/1/")),
    ),
    "the brake fails": (
        "guard_violations",
        lambda run: with_log(
            run,
            *(
                entry(path=f"/u/{number}/", body={"is_active": False})
                for number in sorted(SCENE.subjects)[:6]
            ),
        ),
    ),
    "a grant is not held": (
        "guard_violations",
        lambda run: with_facts(run, accounts=[replace(found, held={}) for found in run.facts.accounts]),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_single_break_is_found(name: str) -> None:
    invariant, breaking = BREAKS[name]
    assert invariant in {violation.invariant for violation in checker.violations(breaking(right()))}


def test_repetitions_after_the_target_had_applied_it_are_counted() -> None:
    first = entry()
    again = entry(n=2, at=AT + 1, turn=2, applied_at=AT + 1.1)
    other = entry(n=3, at=AT + 2, turn=3, applied_at=AT + 2.1, body={"first_name": "Gn1x9"})
    back = entry(n=4, at=AT + 3, turn=4, applied_at=AT + 3.1)
    assert check_writes.repeated([Log("awx", [first, again, other, back])]) == (1, 4)


def test_a_repetition_before_anything_was_applied_is_none() -> None:
    lost = entry(applied=False, turn=None, applied_at=None)
    assert check_writes.repeated([Log("awx", [lost, entry(n=2, at=AT + 1, applied_at=AT + 2)])]) == (0, 2)


def test_too_many_repetitions_break_the_limit() -> None:
    many = [entry(n=n, at=AT + n, turn=n, applied_at=AT + n + 0.1) for n in range(1, 301)]
    assert [found.invariant for found in check_writes.repetitions([Log("awx", many)])] == ["repeated_ratio"]


def test_a_late_effect_is_judged_by_when_it_happened() -> None:
    """It arrived first and took effect last: the newer value is overwritten."""
    late = entry(n=1, turn=2, body={"first_name": f"Gn{SOMEBODY}x1"})
    newer = entry(n=2, turn=1, body={"first_name": f"Gn{SOMEBODY}x2"})
    assert list(check_writes.stale([Log("awx", [late, newer])], ()))


def test_who_returned_must_never_be_deactivated() -> None:
    person = min(SCENE.cast.returners)
    number = SCENE.ids[scenario.subject_of(person)]
    off = entry(path=f"/u/{number}/", body={"is_active": False})
    assert list(check_writes.stale([Log("awx", [off])], SCENE.cast.returners))


def test_a_request_of_a_dead_worker_may_be_ambiguous_and_late() -> None:
    told = [record("intended"), record("ambiguous"), record("late"), record("confirmed")]
    assert list(check_audit.all_of([Log("awx", [entry()])], told)) == []


def test_guards_are_judged_by_what_arrived_and_not_by_what_was_applied() -> None:
    sent = entry(applied=False, status=500, body={"is_superuser": True})
    assert list(check_guards.passed(right(), Log("awx", [sent])))


def test_the_scenario_is_the_same_for_the_same_seed_and_has_what_it_promises() -> None:
    again = scenario.build(SCENE.profile)
    assert again.lines == SCENE.lines
    assert 390 <= len(SCENE.lines) <= 460
    ids = [json.loads(line)["id"] for line in SCENE.lines]
    assert len(ids) > len(set(ids))
    assert len(SCENE.canaries.all) == len(set(SCENE.canaries.all)) == 20
    assert all(any(canary in line for line in SCENE.lines) for canary in SCENE.canaries.refused)
