"""How far the reference servers answer as the real ones did: recorded exchanges, sent again.

Compared are the status, the media type and, for JSON, the top-level keys of errors. The only skip
of the suite is here: the recordings lie outside the repository.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from tests.fixtures.targets import ReferenceTarget
from tests.reference import authentik_replay, recordings, situations
from tests.reference.authentik_replay import AuthentikReplay
from tests.reference.recordings import Recorded
from tests.reference.replay import Replay

TARGETS = Path(__file__).resolve().parents[1] / "targets"
# Ids, secrets and the names that the recorder made unique: what only a recording can know.
RECORDED = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}|\b[\w.+-]+-\d{10}\b")
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
    is_json = (content_type or "").startswith("application/json")
    body = response.json() if is_json and response.content else None
    return essence(response.status_code, content_type, body)


class Answering(Protocol):
    def answer(self, recorded: Recorded) -> requests.Response:
        """What the reference server says to this exchange, at this point of its section."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    replay: Callable[[ReferenceTarget, list[Recorded]], Answering]
    out_of_scope: Mapping[tuple[str, str], str]


REHEARSALS = {
    "awx": Rehearsal(Replay, situations.OUT_OF_SCOPE),
    "authentik": Rehearsal(AuthentikReplay, authentik_replay.OUT_OF_SCOPE),
}
NEEDS_RECORDINGS = pytest.mark.skipif(
    not all((recordings.FOLDER / f"{style}.jsonl").exists() for style in REHEARSALS),
    reason="the recordings of ../shared/contracts are not beside this repository",
)


@NEEDS_RECORDINGS
@pytest.mark.parametrize("style", REHEARSALS)
def test_reference_server_answers_as_recorded(
    target_server: Callable[[str], ReferenceTarget], style: str
) -> None:
    rehearsal = REHEARSALS[style]
    recording = recordings.load(style)
    asked = [each for each in recording if (each.section, each.case) not in rehearsal.out_of_scope]
    replay = rehearsal.replay(target_server(style), recording)
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


@NEEDS_RECORDINGS
@pytest.mark.parametrize("style", REHEARSALS)
def test_the_reference_server_holds_nothing_of_a_recording(style: str) -> None:
    recorded = (recordings.FOLDER / f"{style}.jsonl").read_text(encoding="utf-8")
    known = {found.group() for found in RECORDED.finditer(recorded)}
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((TARGETS / style).glob("*.py")))
    assert known
    assert {found for found in known if found in source} == set()
