"""Reading the recorded exchanges with real servers, which lie beside the repository.

Nothing of a recording is kept here: ids, bodies and names are read from the file when it is there.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "contracts"
FILLER = re.compile(r"<(\d+) (.) characters>")


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
            case _:
                return FILLER.sub(_fill, json.dumps(self.body)).encode()


def load(style: str) -> list[Recorded]:
    lines = (FOLDER / f"{style}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_exchange(json.loads(line)) for line in lines]


def _exchange(raw: dict[str, Any]) -> Recorded:
    request, response = raw["request"], raw["response"]
    return Recorded(
        id=raw["id"],
        section=raw["section"],
        case=raw["case"],
        method=request["method"],
        path=request["path"],
        auth=request["auth"],
        headers=request["headers"],
        body=request["body"],
        status=response["status"],
        content_type=response["headers"].get("Content-Type"),
        answer=response["body"],
    )


def _fill(found: re.Match[str]) -> str:
    return found[2] * int(found[1])


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside a value, the value itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)
