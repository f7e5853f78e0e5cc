"""Booking a stack of calls on a stage."""

from __future__ import annotations

import pytest

from tests.benchmarks.stages import STAGES, Call, Costs, ours, stage
from tests.demo.scene import ROOT

TASK = [("celery.app.trace", "trace_task"), ("worker/tasks.py", "sync"), ("worker/engine/sync.py", "run")]
AUDIT = ("worker/storage/audit.py", "append")
PLAN = ("worker/engine/settle.py", "plan")
CLAIM = ("worker/engine/sync.py", "_claim")


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ([*TASK, CLAIM, ("worker/storage/accounts.py", "claim"), ("psycopg.cursor", "execute")], "claim"),
        ([*TASK, PLAN, ("worker/engine/settle.py", "_decide"), ("worker/domain/plan.py", "decide")], "plan"),
        ([*TASK, PLAN, ("worker/storage/accounts.py", "save")], "settle"),
        ([*TASK, ("worker/storage/store.py", "begin"), AUDIT], "audit"),
        (TASK, "sync"),
        ([("worker/engine/accept.py", "accept"), ("worker/storage/store.py", "begin"), AUDIT], "accept"),
        ([("worker/engine/dispatch.py", "_perform"), ("connectors/awx.py", "patch")], "send"),
        ([("concurrent.futures.thread", "_worker")], "send"),
        ([("kombu.transport.redis", "get")], "celery"),
        ([("threading", "wait")], "rest"),
    ],
)
def test_the_innermost_call_that_says_what_is_done_decides(stack: list[Call], expected: str) -> None:
    assert stage(stack) == expected
    assert expected in STAGES


def test_what_is_booked_is_the_innermost_function_of_ours() -> None:
    assert ours([*TASK, AUDIT, ("psycopg.cursor", "execute")]) == "worker/storage/audit.py:append"
    assert ours([("kombu.transport.redis", "get")]) == "kombu.transport.redis:get"


def test_costs_of_several_processes_add_up() -> None:
    one, other = Costs(), Costs()
    one.add(TASK, 0.5)
    other.add(TASK, 0.25)
    one.take(other.as_json())
    assert one.stages == {"sync": 0.75}
    assert one.functions == {("sync", "worker/engine/sync.py:run"): 0.75}
    assert one.inclusive["worker/tasks.py:sync"] == 0.75


def test_every_call_that_decides_is_in_the_code() -> None:
    from tests.benchmarks.stages import _INNER, _WHOLE  # noqa: PLC0415 - what the table names

    missing = [
        (file, name)
        for file, name in [*_INNER, *_WHOLE]
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []
