"""Checks of JMESPath expressions that need no event: they compile, and they read attributes that exist.

Functions are not looked up here: the named transforms are known to the worker only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError, ParseError
from pydantic import AfterValidator

from config.names import ATTRIBUTES, CUSTOM, did_you_mean, is_attribute

_LEFT_ONLY = (
    "subexpression",
    "index_expression",
    "pipe",
    "projection",
    "value_projection",
    "filter_projection",
)
_LEAVES = ("literal", "current", "identity", "index", "slice", "expref")


def compiled(expression: str) -> dict[str, Any]:
    """The syntax tree. Raises ValueError with the position, on one line."""
    try:
        tree = jmespath.compile(expression).parsed
    except ParseError as error:
        raise ValueError(f"is not JMESPath at position {error.lex_position}: {expression!r}") from None
    except JMESPathError as error:
        raise ValueError(f"is not JMESPath: {' '.join(str(error).split())}") from None
    return dict(tree)


def roots(node: dict[str, Any]) -> Iterator[str]:
    """Names read from the top of the input, as far as the text shows it (not behind `@`, not in `&`)."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in _LEFT_ONLY:
        yield from roots(children[0])
    elif kind not in _LEAVES:
        for child in children:
            yield from roots(child)


def _expression(text: str) -> str:
    compiled(text)
    return text


def _over_attributes(text: str) -> str:
    for root in roots(compiled(text)):
        if root != CUSTOM and not is_attribute(root):
            raise ValueError(f"reads {root!r}, which is not an attribute{did_you_mean(root, ATTRIBUTES)}")
    return text


def _mapped(text: str) -> str:
    return _over_attributes(text) if text else text


Expression = Annotated[str, AfterValidator(_expression)]
"""JMESPath over an event's data."""
AttributeExpression = Annotated[str, AfterValidator(_over_attributes)]
"""JMESPath over an identity's attributes."""
MappingExpression = Annotated[str, AfterValidator(_mapped)]
"""JMESPath over an identity's attributes, or the empty string: this field is not owned."""
