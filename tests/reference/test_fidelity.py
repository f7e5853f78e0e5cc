"""How far the reference AWX answers as the real one did: recorded exchanges, sent again.

Compared are the status, the media type and, for JSON, the top-level keys of errors. The only skip
of the suite is here: the recordings lie outside the repository.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.fixtures.targets import ReferenceTarget
from tests.reference import recordings
from tests.reference.recordings import Recorded
from tests.reference.replay import Replay
from tests.reference.situations import OUT_OF_SCOPE

LEAST_AGREEMENT = 0.95
MOST_OUT_OF_SCOPE = 0.15


@dataclass(frozen=True, slots=True)
class Essence:
    """What must be the same on both servers."""

    status: int
    media_type: str | None
    error_keys: frozenset[str]


def essence(status: int, content_type: str | None, body: Any) -> Essence:
    media_type = content_type.partition(";")[0].strip() if content_type else None
    failed = status >= 400 and isinstance(body, dict)
    return Essence(status, media_type, frozenset(body) if failed else frozenset())


def essence_of(response: requests.Response) -> Essence:
    content_type = response.headers.get("Content-Type")
    body = response.json() if content_type == "application/json" and response.content else None
    return essence(response.status_code, content_type, body)


@pytest.mark.skipif(
    not (recordings.FOLDER / "awx.jsonl").exists(),
    reason="../shared/contracts/awx.jsonl is not beside this repository",
)
def test_reference_awx_answers_as_recorded(target_server: Callable[[str], ReferenceTarget]) -> None:
    recording = recordings.load("awx")
    asked = [each for each in recording if (each.section, each.case) not in OUT_OF_SCOPE]
    replay = Replay(target_server("awx"), recording)
    agreed, asked_in, differing = Counter[str](), Counter[str](), list[str]()
    for recorded in asked:
        expected = essence(recorded.status, recorded.content_type, recorded.answer)
        actual = essence_of(replay.answer(recorded))
        asked_in[recorded.section] += 1
        agreed[recorded.section] += expected == actual
        if expected != actual:
            differing.append(difference(recorded, expected, actual))
    print(report(agreed, asked_in, differing, len(recording) - len(asked)))  # noqa: T201 - the report is asked for
    assert len(recording) - len(asked) <= MOST_OUT_OF_SCOPE * len(recording)
    assert agreed.total() >= LEAST_AGREEMENT * len(asked), "\n".join(differing)


def difference(recorded: Recorded, expected: Essence, actual: Essence) -> str:
    return (
        f"{recorded.id} {recorded.section}: {recorded.case}\n    recorded {expected}\n    answered {actual}"
    )


def report(agreed: Counter[str], asked: Counter[str], differing: list[str], left_out: int) -> str:
    lines = [f"{agreed[section]:4}/{count:<4} {section}" for section, count in asked.items()]
    share = agreed.total() / asked.total()
    lines.append(f"{agreed.total():4}/{asked.total():<4} in all: {share:.1%}; out of scope: {left_out}")
    return "\n".join([*lines, *differing])
