"""Reading the recorded exchanges with real servers, which lie beside the repository.

Nothing of a recording is kept here: ids, bodies and names are read from the file when it is there.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "contracts"
FILLER = re.compile(r"<(\d+) (.) characters>")
LARGE = re.compile(r"large body, (\d+) bytes")
LARGE_FIELDS: dict[str, dict[str, Any]] = {"path": {"path": ""}, "attr": {"attributes": {"filler": ""}}}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange. `auth` is "none", "Basic NAME", or a scheme with a token or its stand-in."""

    id: str
    section: str
    case: str
    method: str
    path: str
    auth: str
    headers: dict[str, str]
    body: Any
    status: int
    content_type: str | None
    answer: Any

    @property
    def payload(self) -> bytes | None:
        """The body as it went over the wire."""
        match self.body:
            case None:
                return None
            case str(text) if text.startswith("b'"):
                return bytes(ast.literal_eval(text))
            case str(text):
                return text.encode()
            case {"__raw__": str(text)}:  # what was no UTF-8 is kept as a sign that it was none
                return b"\xff".join(part.encode() for part in text.split("\ufffd"))
            case {"__note__": str(note)}:
                return _large(self.case, int(LARGE.fullmatch(note)[1]))  # type: ignore[index]  # a note of ours
            case _:
                return FILLER.sub(_fill, json.dumps(self.body)).encode()


def are_in(folder: Path, styles: Iterable[str]) -> bool:
    return all((folder / f"{style}.jsonl").exists() for style in styles)


def raw(style: str) -> list[dict[str, Any]]:
    """The exchanges as they were written down."""
    lines = (FOLDER / f"{style}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def load(style: str) -> list[Recorded]:
    return [_exchange(exchange) for exchange in raw(style)]


def _exchange(raw: dict[str, Any]) -> Recorded:
    request, response = raw["request"], raw["response"]
    sent = dict(request["headers"])
    authorization = sent.pop("Authorization", "none")
    shown = {name.lower(): value for name, value in response["headers"].items()}
    return Recorded(
        id=raw["id"],
        section=raw["section"],
        case=raw["case"],
        method=request["method"],
        path=request["path"],
        auth=request.get("auth", authorization),
        headers=sent,
        body=request["body"],
        status=response["status"],
        content_type=shown.get("content-type"),
        answer=response["body"],
    )


def _fill(found: re.Match[str]) -> str:
    return found[2] * int(found[1])


def _large(case: str, size: int) -> bytes:
    """A body of about this size for the field that the case is named after."""
    body = next(fields for name, fields in LARGE_FIELDS.items() if name in case)
    return json.dumps(body).replace('""', json.dumps("x" * (size - 20))).encode()


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside a value, the value itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)
