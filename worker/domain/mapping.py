"""Mapping: JMESPath over a person's attributes, with "never said" told apart from "cleared".

JMESPath gives null for both. Here an expression that reads an attribute HR never asserted is
*absent* (not compared, not sent), except that `a || b` is absent only when both sides are. Null is
what HR asserted. Pure; compiled mappings are shared between threads.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.parser import ParsedResult

from connectors.sdk.model import Json
from worker.domain.attributes import known
from worker.domain.strict_json import Limits, check

_MESSAGE_LIMIT = 200


class Absent(enum.Enum):
    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Failure:
    """An expression that could not be evaluated for this person: holds the field."""

    message: str


Wanted: TypeAlias = "Json | Absent | Failure"


class Transforms(Functions):
    """The named transforms that mappings may call, on top of JMESPath's own functions."""

    @signature({"types": ["string", "null"]})
    def _func_lower(self, text: str | None) -> str | None:
        return text.lower() if text is not None else None

    @signature({"types": ["string", "null"]})
    def _func_upper(self, text: str | None) -> str | None:
        return text.upper() if text is not None else None

    @signature({"types": ["string", "null"]})
    def _func_trim(self, text: str | None) -> str | None:
        return text.strip() if text is not None else None

    @signature({"types": ["array"]}, {"types": ["string"]})
    def _func_join_present(self, parts: list[Any], separator: str) -> str:
        """Join the parts that are neither null nor empty."""
        return separator.join(part for part in parts if part)

    @signature({"types": ["string", "null"]}, {"types": ["object"]})
    def _func_lookup(self, key: str | None, table: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
        """The table's entry for the key; null for an unknown key."""
        return table.get(key) if key is not None else None


_Node: TypeAlias = Any  # a node of jmespath's syntax tree, nested dicts
_OPTIONS = jmespath.Options(custom_functions=Transforms())
# Their first part reads from where they stand, the others from what it found.
_INTO = frozenset(
    {"subexpression", "index_expression", "projection", "filter_projection", "value_projection", "pipe"}
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression and the attributes it reads."""

    text: str
    ast: Mapping[str, Any]
    reads: tuple[str, ...]

    def evaluate(self, values: Mapping[str, Json]) -> Wanted:
        """Evaluate over attribute values; absent keys were never asserted."""
        return _evaluate(self.ast, self.text, values, nest(values))


def compile_expression(text: str) -> Expression:
    """Raise ValueError with the position where the text is not JMESPath."""
    try:
        ast = jmespath.compile(text).parsed
    except JMESPathError as error:
        raise ValueError(f"is not a JMESPath expression: {error}".replace("\n", " ")) from None
    return Expression(text, ast, tuple(dict.fromkeys(_reads(ast))))


def compile_mapping(mapping: Mapping[str, str]) -> dict[str, Expression]:
    """Field to expression; an empty text disowns the field."""
    return {field: compile_expression(text) for field, text in mapping.items() if text}


def nest(values: Mapping[str, Json]) -> dict[str, Json]:
    """`custom.badge` becomes `{"custom": {"badge": …}}`, as expressions read it."""
    tree: dict[str, Json] = {name: value for name, value in values.items() if "." not in name}
    custom: dict[str, Json] = {
        name.partition(".")[2]: value for name, value in values.items() if name.startswith("custom.")
    }
    return {**tree, "custom": custom}


def _reads(node: Mapping[str, Any]) -> Iterator[str]:
    name = _attribute(node)
    if name is not None:
        yield name
        return
    for child in _read_from_person(node):
        yield from _reads(child)


def _read_from_person(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts that read from where the node does; `x[*].title` reads a title of `x`, not the person's."""
    if node["type"] == "expref":
        return []
    children = node.get("children", ())[:1] if node["type"] in _INTO else node.get("children", ())
    return [child for child in children if isinstance(child, Mapping)]


def _attribute(node: Mapping[str, Any]) -> str | None:
    if node["type"] == "field" and known(node["value"]):
        return str(node["value"])
    if node["type"] != "subexpression":
        return None
    first, second = node["children"][:2]
    name = f"{first.get('value')}.{second.get('value')}"
    return name if first["type"] == second["type"] == "field" and known(name) else None


def _evaluate(node: _Node, text: str, values: Mapping[str, Json], tree: Mapping[str, Json]) -> Wanted:
    if node["type"] == "or_expression":
        return _either(node, text, values, tree)
    return ABSENT if _is_absent(node, values) else _search(node, text, tree)


def _is_absent(node: _Node, values: Mapping[str, Json]) -> bool:
    name = _attribute(node)
    if name is not None:
        return name not in values
    parts = [_is_absent(child, values) for child in _read_from_person(node)]
    return all(parts) if node["type"] == "or_expression" else any(parts)


def search(expression: Expression, document: Mapping[str, Json]) -> Json | Failure:
    """Plain JMESPath over a document, with the named transforms."""
    return _search(expression.ast, expression.text, document)


def _search(node: _Node, text: str, tree: Mapping[str, Json]) -> Json | Failure:
    try:
        result: Json = ParsedResult(text, node).search(tree, options=_OPTIONS)
    except (JMESPathError, TypeError, ValueError, ArithmeticError) as error:  # its functions check little
        return Failure(" ".join(str(error).split())[:_MESSAGE_LIMIT])
    for refusal in check(result, Limits()):
        return Failure(f"the result cannot be kept: {refusal.reason}")
    return result


def _either(node: _Node, text: str, values: Mapping[str, Json], tree: Mapping[str, Json]) -> Wanted:
    left, right = node["children"]
    first = _evaluate(left, text, values, tree)
    if isinstance(first, Failure) or (first is not ABSENT and not _falsy(first)):
        return first
    second = _evaluate(right, text, values, tree)
    return first if second is ABSENT else second


def _falsy(value: Json) -> bool:
    """JMESPath's own rule: null, false and what is empty."""
    return value is None or value is False or value in ("", [], {})


def newest(reads: Iterable[str], events: Mapping[str, int]) -> int | None:
    """The event row that last set any of the attributes an expression reads."""
    rows = [events[name] for name in reads if name in events]
    return max(rows, default=None)
