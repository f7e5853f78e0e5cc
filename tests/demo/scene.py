"""The files of the demo: the events, the targets' starting accounts and faults, and what is expected.

Read once at the start; a file that does not fit raises KeyError or ValueError before anything is started.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.styles import STYLES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "config" / "demo"
EVENTS = FOLDER / "events.ndjson"
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

    `one_patch` names people whose events come so fast that one PATCH a target says them all.
    """

    refused: Mapping[int, str]
    duplicates: Sequence[int]
    one_patch: Sequence[str]
    held: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Start:
    """What one target holds before the first event. `ids`: subject -> id of the account."""

    users: Sequence[Mapping[str, Any]]
    tokens: Sequence[Mapping[str, str]]
    faults: Sequence[Mapping[str, Any]]
    ids: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    lines: Sequence[str]
    expected: Expected
    starts: Mapping[str, Start]

    @property
    def accepted(self) -> int:
        return len(self.lines) - len(self.expected.refused) - len(self.expected.duplicates)


def load() -> Scene:
    """Everything, from the shipped files."""
    lines = EVENTS.read_text(encoding="utf-8").splitlines()
    return Scene(lines, _expected(), {target: _start(target) for target in STYLES})


def _expected() -> Expected:
    raw = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    refused = {entry["line"]: entry["pointer"] for entry in raw["refused"]}
    held = sorted(Held(**entry) for entry in raw["held"])
    return Expected(refused, raw["duplicates"], raw["one_patch"], held)


def _start(target: str) -> Start:
    raw = json.loads((FOLDER / f"{target}.json").read_text(encoding="utf-8"))
    key = STYLES[target].key
    ids = {user["subject"]: user[key] for user in raw["users"] if "subject" in user}
    users = [{name: value for name, value in user.items() if name != "subject"} for user in raw["users"]]
    return Start(users, raw["tokens"], raw["faults"], ids)
