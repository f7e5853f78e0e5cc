"""From an event's `data` to assertions, for a source that sends attributes or maps its own payload.

With a mapping, an attribute is asserted only when the payload holds at least one of the top-level
keys that its expression reads: a key that a vendor left out says nothing, a null clears. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sdk.model import Json
from worker.domain.mapping import Expression, Failure, compile_expression, search
from worker.domain.strict_json import Refusal, RefusedError


def as_sent(data: Mapping[str, Json]) -> dict[str, Json]:
    """The keys are attributes; `custom` may be an object of its own."""
    flat = {name: value for name, value in data.items() if name != "custom"}
    custom = data.get("custom", {})
    if not isinstance(custom, dict):
        raise RefusedError(Refusal("/data/custom", "must be an object"))
    return {**flat, **{f"custom.{name}": value for name, value in custom.items()}}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A source's mapping: attribute to an expression over the payload."""

    expressions: Mapping[str, Expression]

    @classmethod
    def compile(cls, mapping: Mapping[str, str]) -> Mapped:
        return cls({name: compile_expression(text) for name, text in mapping.items()})

    def __call__(self, data: Mapping[str, Json]) -> dict[str, Json]:
        asserted: dict[str, Json] = {}
        for name, expression in self.expressions.items():
            if not any(key in data for key in _roots(expression.ast)):
                continue
            result = search(expression, data)
            if isinstance(result, Failure):
                raise RefusedError(Refusal("/data", f"mapping of {name}: {result.message}"))
            asserted[name] = result
        return asserted


def _roots(node: Mapping[str, Any]) -> Iterator[str]:
    """The keys of the payload's top level that an expression may read."""
    if node["type"] == "field":
        yield node["value"]
    elif node["type"] in ("subexpression", "index_expression", "projection", "value_projection"):
        yield from _roots(node["children"][0])
    else:
        for child in node.get("children", ()):
            if isinstance(child, Mapping):
                yield from _roots(child)
