"""The small parts: the flag that processes share, runtimes of their own, times and words."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.failures import UsageError
from worker.cli.moments import since
from worker.cli.output import age, cell
from worker.cli.per_process import PerProcess
from worker.cli.stopping import SharedFlag
from worker.cli.telling import changes, summary

ROOT = Path(__file__).resolve().parents[3]
FORKS = """
import os, signal
from worker.cli.per_process import PerProcess
from worker.cli.stopping import SharedFlag

flag = SharedFlag()
runtime = PerProcess(os.getpid)
assert runtime() == os.getpid()
child = os.fork()
if child == 0:
    os._exit(0 if CHILD else 1)
PARENT
"""


def forked(child: str, parent: str) -> None:
    """In a process without threads: a fork copies the locks that others hold."""
    program = FORKS.replace("CHILD", child).replace("PARENT", parent)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)  # noqa: S603 - our own words


def test_a_flag_set_here_is_seen_by_a_forked_child() -> None:
    forked("flag.wait(30)", "flag.set(); assert os.waitpid(child, 0)[1] == 0")


def test_a_child_killed_while_it_waits_keeps_nobody_from_setting_the_flag() -> None:
    forked(
        "flag.wait(30)",
        "os.kill(child, signal.SIGKILL); os.waitpid(child, 0); flag.set(); assert flag.wait(0)",
    )


def test_waiting_for_the_flag_ends_after_the_time_given() -> None:
    flag = SharedFlag()
    began = time.monotonic()
    assert not flag.wait(0.05)
    assert 0.05 <= time.monotonic() - began < 30


def test_threads_that_ask_at_once_share_one_runtime() -> None:
    made: list[object] = []
    gate = threading.Barrier(4)

    def build() -> object:
        made.append(object())
        return made[-1]

    runtime = PerProcess(build)
    got: list[object] = []

    def ask() -> None:
        gate.wait()
        got.append(runtime())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), got) == (1, made * 4)


def test_a_forked_child_builds_a_runtime_of_its_own() -> None:
    forked("runtime() == os.getpid()", "assert os.waitpid(child, 0)[1] == 0")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 970.0), ("2m", 880.0), (" 0h ", 1000.0), ("1970-01-01T00:00:07Z", 7.0)],
)
def test_a_time_is_an_age_or_a_moment(text: str, seconds: float) -> None:
    assert since(text, 1000.0) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "5", "-1h", "2026-13-01T00:00:00Z", "1.5h"])
def test_what_is_no_time_is_told_so_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="say 30s, 15m"):
        since(text, 1000.0)


@given(st.text())
def test_a_cell_is_one_line_without_control_characters(text: str) -> None:
    shown = cell(text).plain
    assert all(char.isprintable() for char in shown)
    assert len(shown) <= 400


def test_a_cell_takes_no_markup() -> None:
    assert cell("[red]x[/red]").plain == "[red]x[/red]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (-1.0, "0.0s"), (0.44, "0.4s"), (65, "65s"), (130, "2m"), (9000, "2h"), (200_000, "2d")],
)
def test_an_age_is_short(seconds: float | None, text: str) -> None:
    assert age(seconds) == text


def test_a_change_names_the_event_that_set_it() -> None:
    facts = json.loads('{"changes":[{"field":"email","before":null,"after":"a@example.com","event":7}]}')
    assert changes(facts, {7: "ev-7"}) == ['email: null → "a@example.com" (from ev-7)']
    assert changes(facts, {}) == ['email: null → "a@example.com"']


@pytest.mark.parametrize(
    ("action", "facts", "said"),
    [
        (
            "account:patch:applied",
            {"class": "applied", "status": 200, "duration_ms": 12.4},
            "applied 200 12 ms",
        ),
        (
            "account:field:held",
            {"field": "email", "reason": "value", "detail": "no address"},
            "email (value); no address",
        ),
        (
            "event:accept:refused",
            {"event": "ev-1", "body_sha256": "0", "pointer": "/data", "reason": "must be an object"},
            "ev-1: /data: must be an object",
        ),
        ("account:link:linked", {"remote_id": "5"}, "remote id 5"),
        ("account:patch:rejected", {"fields": {"email": "bad"}, "class": "rejected"}, "rejected; email: bad"),
        ("run:resync:requested", {"why": "drift"}, "drift"),
        ("target:pause:paused", {"reason": "it refused us"}, "it refused us"),
    ],
)
def test_a_record_is_told_in_a_few_words(action: str, facts: dict[str, object], said: str) -> None:
    assert summary(action, json.loads(json.dumps(facts))) == said
