"""What of a recording would be copied, not learnt, if it stood in the source of a reference server.

Facts are carried over: statuses, keys, texts of errors, the words of an API. A copy is
- an id or a secret: a UUID, 20 or more characters of hexadecimal digits or of a random token, a number from
  1,000 on that stands as an id, an e-mail address, a name that the recorder made unique;
- a body: a JSON object or list with three or more values in it, by whatever order of keys, as a literal or
  inside a text.
Trivial, and so no proof of copying: smaller numbers (every program counts, and sizes of pages are small),
words, and objects of one or two values such as `{"detail": "Not found."}`: a sentence, not a body.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

UNIQUE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\b[0-9a-f]{20,}\b"
    r"|\b[\w.+-]+-\d{10}\b"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
)
RANDOM = re.compile(r"(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])[A-Za-z0-9]{20,}")
NUMBER = re.compile(r"(?<![\w.])\d{4,}(?![\w.])")
IDS = frozenset({"id", "pk", "num_pk", "user", "organization", "object_id"})
LEAST_ID = 1000
LEAST_VALUES = 3


@dataclass(frozen=True, slots=True)
class Recording:
    """What a copy could be recognised by."""

    words: frozenset[str]
    numbers: frozenset[int]
    bodies: frozenset[str]

    @classmethod
    def of(cls, exchanges: list[Any]) -> Self:
        """Of exchanges as parsed JSON."""
        bodies = frozenset(map(_canonical, _bodies(exchanges)))
        return cls(frozenset(_ids(exchanges)), frozenset(_numbers(exchanges)), bodies)

    def copies(self, source: str) -> set[str]:
        """What a source holds of it, each as it was recorded."""
        numbers = {int(text) for text in NUMBER.findall(source.replace("_", ""))}
        found = {word for word in self.words if word in source}
        found |= {str(number) for number in self.numbers & numbers}
        return found | {text for text in map(_canonical, _literals(source)) if text in self.bodies}


def _ids(value: Any) -> Iterator[str]:
    text = json.dumps(value, ensure_ascii=False)
    yield from (match.group() for match in UNIQUE.finditer(text))
    yield from (match.group() for match in RANDOM.finditer(text) if "/" not in match.group())


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in IDS and type(inner) is int and inner >= LEAST_ID:
                yield inner
            yield from _numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner)


def _bodies(value: Any) -> Iterator[Any]:
    """Every object and list with enough in it."""
    if isinstance(value, dict | list):
        if _values(value) >= LEAST_VALUES:
            yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _bodies(inner)


def _values(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_values(inner) for inner in value.values())
    return sum(_values(inner) for inner in value) if isinstance(value, list) else 1


def _literals(source: str) -> Iterator[Any]:
    """Objects and lists that stand in Python source, or as JSON in its texts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict | ast.List | ast.Tuple):
            yield from _evaluated(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            yield from _parsed(node.value)


def _evaluated(node: ast.expr) -> Iterator[Any]:
    try:
        value = ast.literal_eval(node)
        json.dumps(value)
    except (ValueError, TypeError):
        return
    yield from _bodies(list(value) if isinstance(value, tuple) else value)


def _parsed(text: str | bytes) -> Iterator[Any]:
    try:
        yield from _bodies(json.loads(text))
    except ValueError:
        return


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
