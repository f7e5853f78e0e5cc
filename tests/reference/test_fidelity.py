"""How far the reference servers answer as the real ones did: recorded exchanges, sent again.

Compared are the status, the media type and, for JSON, the top-level keys of errors. How many agree, section
by section, is shown at the end of a run. The only skip of the suite is here: the recordings lie outside the
repository.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, Protocol

import pytest
import requests

from tests.fixtures.agreement import AGREEMENT
from tests.fixtures.targets import ReferenceTarget
from tests.reference import authentik_replay, recordings, situations
from tests.reference.authentik_replay import AuthentikReplay
from tests.reference.borrowed import Recording
from tests.reference.recordings import Recorded
from tests.reference.replay import Replay

TARGETS = Path(__file__).resolve().parents[1] / "targets"
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
    not recordings.are_in(recordings.FOLDER, REHEARSALS),
    reason="the recordings of ../shared/contracts are not beside this repository",
)


@NEEDS_RECORDINGS
@pytest.mark.parametrize("style", REHEARSALS)
def test_reference_server_answers_as_recorded(
    target_server: Callable[[str], ReferenceTarget],
    record_property: Callable[[str, object], None],
    style: str,
) -> None:
    rehearsal = REHEARSALS[style]
    assert all(rehearsal.out_of_scope.values())
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
    record_property(AGREEMENT, report(style, agreed, asked_in, len(recording) - len(asked)))
    assert len(recording) - len(asked) <= MOST_OUT_OF_SCOPE * len(recording)
    assert agreed.total() >= LEAST_AGREEMENT * len(asked), "\n".join(differing)


def difference(recorded: Recorded, expected: Essence, actual: Essence) -> str:
    return (
        f"{recorded.id} {recorded.section}: {recorded.case}\n    recorded {expected}\n    answered {actual}"
    )


def report(style: str, agreed: Counter[str], asked: Counter[str], left_out: int) -> str:
    """All sections in one paragraph, the whole first."""
    share = agreed.total() / asked.total()
    sections = [f"{section[:24]} {agreed[section]}/{count}" for section, count in asked.items()]
    whole = f"{style}: {agreed.total()}/{asked.total()} ({share:.1%}), {left_out} out of scope"
    return fill(f"{whole}; {', '.join(sections)}", 100, subsequent_indent="    ")


def sources() -> list[Path]:
    """Every file of the reference servers; nothing but source may lie there."""
    found = [path for path in sorted(TARGETS.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    assert {path.suffix for path in found} == {".py"}
    return found


@NEEDS_RECORDINGS
@pytest.mark.parametrize("style", REHEARSALS)
def test_the_reference_servers_hold_nothing_that_was_copied_from_a_recording(style: str) -> None:
    recording = Recording.of(recordings.raw(style))
    held = {path.name: recording.copies(path.read_text(encoding="utf-8")) for path in sources()}
    assert {name: found for name, found in held.items() if found} == {}


@NEEDS_RECORDINGS
@pytest.mark.parametrize("style", REHEARSALS)
def test_every_body_of_a_recording_would_be_found(style: str) -> None:
    """The test before this one can fail: as a literal, as JSON in a text, and by each id alone."""
    answers = [each["response"]["body"] for each in recordings.raw(style)]
    bodies = [body for body in answers if isinstance(body, dict) and len(body) > 3][:20]
    assert bodies
    for body in bodies:
        recording = Recording.of([body])
        assert recording.copies(f"BODY = {body!r}")
        assert recording.copies(f"BODY = {json.dumps(body)!r}")


EXCHANGE = {
    "id": 4711,
    "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "token": "Zm9yMeT0BeFounD4gainXy",
    "name": "mira-1700000000",
    "email": "mira@example.com",
    "links": {"next": None, "count": 2},
}


@pytest.mark.parametrize(
    "source",
    [
        "ID = 4711",
        "ID = 4_711",
        'PATH = "/users/0f8fad5b-d9cb-469f-a165-70867728950e/"',
        'KEY = "Zm9yMeT0BeFounD4gainXy"  # a secret',
        "# mira-1700000000",
        'MAIL = "mira@example.com"',
        f"BODY = {dict(reversed(EXCHANGE.items()))!r}",
        f"BODY = {json.dumps(EXCHANGE)!r}",
    ],
)
def test_a_copied_id_or_body_is_found(source: str) -> None:
    assert Recording.of([EXCHANGE]).copies(source)


@pytest.mark.parametrize(
    "source",
    [
        "SIZE = 7",
        "CAP = 100",
        "X = 14711",
        'ERROR = {"detail": "Not found."}',
        'KEYS = ("id", "uuid", "links")',
    ],
)
def test_what_every_program_holds_is_no_copy(source: str) -> None:
    recorded = [EXCHANGE, {"detail": "Not found."}, {"id": 7}, {"page_size": 100}]
    assert Recording.of(recorded).copies(source) == set()


def test_without_recordings_the_comparison_is_skipped_with_its_reason(tmp_path: Path) -> None:
    assert not recordings.are_in(tmp_path, REHEARSALS)
    for style in REHEARSALS:
        (tmp_path / f"{style}.jsonl").write_text("")
    assert recordings.are_in(tmp_path, REHEARSALS)
    assert "not beside this repository" in NEEDS_RECORDINGS.kwargs["reason"]
