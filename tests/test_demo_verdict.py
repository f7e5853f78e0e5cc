"""The demo says yes only if nothing is wrong: each kind of trouble alone turns its verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.demo import scene
from tests.demo.scene import Held
from tests.demo.verdict import Case, Counts, Reported, Result, Shown, TargetResult, event_problems, judge

HELD = Held("awx", "E1", "email", "value", "no address")
CASE = Case(
    target="awx",
    ids={"E1": 7},
    faults=1,
    once=("E1",),
    people={"E1": {"given_name": "Anna", "email": "anna@@"}},
    held=[HELD],
)
BEFORE: dict[Any, dict[str, Any]] = {
    1: {"id": 1, "username": "stranger"},
    7: {"id": 7, "first_name": "Ana", "email": "ana@example.com"},
}
WRITE = {"method": "PATCH", "path": "/api/v2/users/7/", "applied": True}
CREATION = {"method": "POST", "path": "/api/v2/users/", "applied": True}
UPLOAD = {**WRITE, "body": '--x\r\nContent-Disposition: form-data; name="avatar"; filename="a.png"'}
SHOWN = Shown(BEFORE, {**BEFORE, 7: {**BEFORE[7], "first_name": "Anna"}}, [WRITE], faults_met=1)
REPORTED = Reported(
    connector="awx",
    accounts=1,
    due=0,
    acknowledged=9,
    applied=1,
    intents=1,
    held=[replace(HELD, words="email: there is no address in this")],
)


def shown(account: Any, **changes: Any) -> Shown:
    """As SHOWN, with these fields of one account changed."""
    return replace(SHOWN, after={**SHOWN.after, account: {**SHOWN.after[account], **changes}})


def test_a_target_where_all_is_right_has_no_problem() -> None:
    result, problems = judge(CASE, SHOWN, REPORTED)
    assert problems == []
    assert result == TargetResult("awx", accounts=1, patches=1, coalesced=8, held=1, converged=True)


@pytest.mark.parametrize(
    "seen",
    [
        shown(7, first_name="Ana"),
        shown(7, email="anna@@"),
        shown(7, is_superuser=True),
        shown(1, username="changed"),
        replace(SHOWN, after={7: SHOWN.after[7]}),
        replace(SHOWN, after={**SHOWN.after, 8: {"id": 8}}),
    ],
    ids=["not applied", "held but sent", "foreign field", "stranger", "deleted", "created"],
)
def test_an_account_that_is_not_as_it_must_be_is_not_converged(seen: Shown) -> None:
    result, problems = judge(CASE, seen, REPORTED)
    assert result.converged is False
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (replace(SHOWN, writes=[WRITE, WRITE]), replace(REPORTED, intents=2)),
        (replace(SHOWN, writes=[{**WRITE, "applied": False}]), REPORTED),
        (replace(SHOWN, writes=[{**WRITE, "method": "PUT"}]), REPORTED),
        (replace(SHOWN, faults_met=0), REPORTED),
        (SHOWN, replace(REPORTED, intents=2)),
        (replace(SHOWN, writes=[WRITE, CREATION]), replace(REPORTED, intents=2)),
        (replace(SHOWN, writes=[UPLOAD]), REPORTED),
        (SHOWN, replace(REPORTED, due=1)),
        (SHOWN, replace(REPORTED, held=[])),
        (SHOWN, replace(REPORTED, held=[*REPORTED.held, replace(HELD, field="last_name")])),
        (SHOWN, replace(REPORTED, held=[replace(REPORTED.held[0], reason="rejected")])),
        (SHOWN, replace(REPORTED, held=[replace(REPORTED.held[0], words="something else")])),
    ],
    ids=[
        "rapid events in two requests",
        "rapid events in none",
        "a put",
        "a fault that nobody met",
        "an intent without a request",
        "a post",
        "a picture that nobody has",
        "still due",
        "not held",
        "held by surprise",
        "another reason",
        "other words",
    ],
)
def test_each_trouble_alone_is_a_problem(seen: Shown, told: Reported) -> None:
    _, problems = judge(CASE, seen, told)
    assert len(problems) == 1
    assert problems[0].startswith("awx: ")


JOINER = replace(CASE, created=["E2"], people={**CASE.people, "E2": {"user_name": "bo", "given_name": "Bo"}})
JOINED = {"id": 8, "username": "bo", "first_name": "Bo", "last_name": ""}


@pytest.mark.parametrize(
    ("row", "due"),
    [(JOINED, 0), ({**JOINED, "first_name": "Bob"}, 1), ({**JOINED, "username": "bob"}, 2), (None, 1)],
    ids=["as said", "another name", "somebody else", "not created"],
)
def test_a_joiner_is_there_with_all_that_hr_said(row: dict[str, Any] | None, due: int) -> None:
    after = {**SHOWN.after, **({8: row} if row else {})}
    seen = replace(SHOWN, after=after, writes=[WRITE, CREATION])
    _, problems = judge(JOINER, seen, replace(REPORTED, intents=2))
    assert len(problems) == due


def staff(uploads: int, doubts: int) -> list[str]:
    """The problems of a target whose one account has a picture."""
    people = {"E1": {"picture": "5f"}}
    case = Case("staff_users", {"E1": 7}, 0, (), people, [], unchanged=["E1"])
    seen = Shown({7: {"id": 7, "avatar": None}}, {7: {"id": 7, "avatar": "5f"}}, [UPLOAD] * uploads, 0)
    told = Reported("staff_users", 1, 0, 2, 1, uploads + 1, [], doubts)
    return judge(case, seen, told)[1]


def test_a_picture_goes_out_once_and_again_only_after_a_doubt() -> None:
    assert staff(1, 0) == []
    assert staff(2, 1) == []
    assert len(staff(2, 0)) == 1
    assert len(staff(0, 0)) == 1


def test_events_and_refusals_must_be_the_expected_ones() -> None:
    shipped = scene.load()
    counts = Counts(shipped.accepted, len(shipped.expected.duplicates), len(shipped.expected.refused))
    places = dict(shipped.expected.refused)
    assert list(event_problems(shipped, counts, places)) == []
    assert len(list(event_problems(shipped, replace(counts, accepted=1), places))) == 1
    line = next(iter(places))
    assert len(list(event_problems(shipped, counts, {**places, line: "/elsewhere"}))) == 1
    assert len(list(event_problems(shipped, counts, {**places, 1: "/id"}))) == 1


def test_the_result_is_ok_only_at_the_end_verified_and_without_a_problem() -> None:
    assert Result(verified=True, finished=True).ok is True
    assert Result(verified=True).ok is False
    assert Result(finished=True).ok is False
    assert Result(verified=True, finished=True, problems=["awx: something"]).ok is False


def test_the_json_has_exactly_the_promised_keys() -> None:
    row = TargetResult("awx", 1, 2, 3, 4, converged=True)
    result = Result(Counts(60, 2, 8), {"awx": row}, records=9, verified=True, finished=True)
    assert result.as_json() == {
        "ok": True,
        "events": {"accepted": 60, "duplicates": 2, "refused": 8},
        "targets": {
            "awx": {
                "connector": "awx",
                "accounts": 1,
                "patches": 2,
                "coalesced": 3,
                "held": 4,
                "converged": True,
            }
        },
        "audit": {"records": 9, "verified": True, "anchored": False},
    }
