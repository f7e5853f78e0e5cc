"""Which request meets a fault: matching, counting, order; and what the control request refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.targets.faults import FaultError, FaultPlan, Kind, parse_rules, parse_weather


def plan_of(*entries: dict[str, Any]) -> FaultPlan:
    plan = FaultPlan()
    plan.extend(parse_rules(list(entries)))
    return plan


def taken(plan: FaultPlan, method: str = "PATCH", path: str = "/users/2/", name: str = "anna") -> Kind | None:
    fault = plan.take(method, path, lambda: name)
    return None if fault is None else fault.kind


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    plan = plan_of({"fault": {"kind": "status"}})
    assert [taken(plan), taken(plan)] == [Kind.STATUS, None]


def test_times_null_strikes_until_it_is_cleared() -> None:
    plan = plan_of({"times": None, "fault": {"kind": "html"}})
    assert [taken(plan) for _ in range(3)] == [Kind.HTML] * 3
    plan.clear()
    assert taken(plan) is None


def test_after_lets_that_many_matching_requests_pass() -> None:
    plan = plan_of({"method": "PATCH", "after": 2, "fault": {"kind": "cut"}})
    assert taken(plan, method="GET") is None
    assert [taken(plan) for _ in range(4)] == [None, None, Kind.CUT, None]


def test_faults_are_consumed_in_order() -> None:
    plan = plan_of({"times": 2, "fault": {"kind": "status"}}, {"fault": {"kind": "drop_before"}})
    assert [taken(plan) for _ in range(4)] == [Kind.STATUS, Kind.STATUS, Kind.DROP_BEFORE, None]


@given(after=st.integers(0, 6), times=st.integers(0, 6), requests=st.integers(0, 15))
def test_after_and_times_always_add_up(after: int, times: int, requests: int) -> None:
    plan = plan_of({"after": after, "times": times, "fault": {"kind": "status"}})
    struck = [taken(plan) is not None for _ in range(requests)]
    assert struck == [after <= n < after + times for n in range(requests)]


@pytest.mark.parametrize(
    ("entry", "miss"),
    [
        ({"method": "PATCH"}, {"method": "GET"}),
        ({"path": "/users/2/$"}, {"path": "/users/22/"}),
        ({"match": {"username": "anna"}}, {"name": "omar"}),
    ],
)
def test_a_fault_matches_on_method_path_and_account(entry: dict[str, Any], miss: dict[str, str]) -> None:
    plan = plan_of({**entry, "fault": {"kind": "empty"}})
    assert taken(plan, **miss) is None
    assert taken(plan) is Kind.EMPTY


def test_many_threads_share_one_fault() -> None:
    plan = plan_of({"times": 7, "fault": {"kind": "status"}})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: taken(plan), range(200)))
    assert found.count(Kind.STATUS) == 7


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ({}, "list"),
        ([1], "object"),
        ([{"fault": {"kind": "explode"}}], "explode"),
        ([{"fault": {"kind": "status", "stauts": 1}}], "stauts"),
        ([{"fault": {"kind": "status"}, "match": {"user": "x"}}], "user"),
        ([{"fault": {"kind": "status"}, "path": "("}], "path"),
        ([{}], "fault"),
    ],
)
def test_a_fault_that_nothing_could_meet_is_refused_by_name(payload: Any, word: str) -> None:
    with pytest.raises(FaultError, match=word):
        parse_rules(payload)


def test_the_same_seed_gives_the_same_weather() -> None:
    def drawn(seed: int) -> list[str | None]:
        half = {"share": 0.5, "fault": {"kind": "hang", "label": "half"}}
        weather = parse_weather({"seed": seed, "chances": [half]})
        return [fault.word if (fault := weather.draw("GET")) else None for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 60 < drawn(1).count("half") < 140


def test_shares_that_are_more_than_everything_are_refused() -> None:
    much = {"share": 0.6, "fault": {"kind": "hang"}}
    with pytest.raises(FaultError):
        parse_weather({"seed": 1, "chances": [much, much]})
