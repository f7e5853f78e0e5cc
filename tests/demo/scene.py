"""The files of the demo: the events, the targets' starting accounts and faults, and what is expected.

Read once at the start; a file that does not fit raises KeyError or ValueError before anything is started.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.styles import STYLES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "config" / "demo"
EVENTS = FOLDER / "events.ndjson"
LATER = FOLDER / "later.ndjson"
PICTURES = FOLDER / "pictures"
CONFIGURATION = FOLDER / "sandbox.toml"


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A field that ends held. `words` is a part of the message that an operator reads."""

    target: str
    subject: str
    field: str
    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class Expected:
    """`refused`: number of the line (from 1) -> the JSON pointer of the refusal.

    `one_patch` names people whose events come so fast that one PATCH a target says them all. Target and
    subject: `created` where a target has no account yet, `unchanged` where the same picture is named again.
    """

    refused: Mapping[int, str]
    duplicates: Sequence[int]
    one_patch: Sequence[str]
    created: Collection[tuple[str, str]]
    unchanged: Collection[tuple[str, str]]
    held: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Start:
    """What one target holds before the first event. `ids`: subject -> id of the account."""

    groups: Sequence[Mapping[str, Any]]
    users: Sequence[Mapping[str, Any]]
    tokens: Sequence[Mapping[str, str]]
    faults: Sequence[Mapping[str, Any]]
    ids: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """`later` is sent when all of `lines` is settled. `pictures`: reference -> SHA-256 of the file."""

    lines: Sequence[str]
    later: Sequence[str]
    pictures: Mapping[str, str]
    expected: Expected
    starts: Mapping[str, Start]

    @property
    def accepted(self) -> int:
        left_out = len(self.expected.refused) + len(self.expected.duplicates)
        return len(self.lines) + len(self.later) - left_out


def load() -> Scene:
    """Everything, from the shipped files."""
    lines, later = (file.read_text(encoding="utf-8").splitlines() for file in (EVENTS, LATER))
    starts = {target: _start(target) for target in STYLES}
    return Scene(lines, later, _pictures(), _expected(), starts)


def _pictures() -> dict[str, str]:
    files = (path for path in PICTURES.rglob("*") if path.is_file())
    return {
        file.relative_to(PICTURES).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def _expected() -> Expected:
    raw = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    refused = {entry["line"]: entry["pointer"] for entry in raw["refused"]}
    held = sorted(Held(**entry) for entry in raw["held"])
    created, unchanged = (_places(raw[name]) for name in ("created", "unchanged"))
    return Expected(refused, raw["duplicates"], raw["one_patch"], created, unchanged, held)


def _places(entries: Sequence[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((entry["target"], entry["subject"]) for entry in entries)


def _start(target: str) -> Start:
    raw = json.loads((FOLDER / f"{target}.json").read_text(encoding="utf-8"))
    ids = {user["subject"]: user["id"] for user in raw["users"] if "subject" in user}
    users = [{name: value for name, value in user.items() if name != "subject"} for user in raw["users"]]
    return Start(raw.get("groups", []), users, raw["tokens"], raw["faults"], ids)
