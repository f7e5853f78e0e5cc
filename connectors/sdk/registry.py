"""Which API styles there are: the modules of this package, and other distributions' entry points.

A style is a class (or factory) with a `descriptor`, built from a `ConnectorConfig`. Here it is named by
its module's `CONNECTOR`; elsewhere by an entry point in the group `hirewire.connectors` whose name is the
style. Looking through every installed distribution takes longer than all else that a configuration is
checked for, so what was found is kept for as long as `sys.path` stays the same; imports happen when asked,
never at import.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final, Protocol, cast

import connectors
from connectors.sdk.contract import Connector, ConnectorConfig, Descriptor

GROUP: Final = "hirewire.connectors"


class StyleError(LookupError):
    """A style that is unknown, named twice or cannot be loaded; the message says the way out."""


class Style(Protocol):
    """What builds a connector."""

    @property
    def descriptor(self) -> Descriptor:
        """What its connectors can do."""

    def __call__(self, config: ConnectorConfig, /) -> Connector:
        """Build it; opens nothing. Raises `ValueError` for a configuration that cannot work."""


def styles() -> dict[str, Style]:
    """Every style by its name, in alphabetical order. Raises `StyleError`."""
    return dict(_found(tuple(sys.path)))


@lru_cache(maxsize=1)
def _found(_path: tuple[str, ...]) -> dict[str, Style]:
    """Found on this path; where one is broken nothing is kept."""
    found: dict[str, tuple[str, Style]] = {}
    for origin, style in (*_own(), *_foreign()):
        name = style.descriptor.style
        if name in found:
            raise StyleError(f"the style {name!r} is defined twice: by {found[name][0]} and by {origin}")
        found[name] = (origin, style)
    return {name: found[name][1] for name in sorted(found)}


def style_named(name: str) -> Style:
    """The style of this name. Raises `StyleError` with the nearest name."""
    known = styles()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    raise StyleError(f"unknown connector {name!r}: {hint}")


def build(style: str, config: ConnectorConfig) -> Connector:
    """A connector of this style. Raises `StyleError`, or `ValueError` from the style."""
    return style_named(style)(config)


def _own() -> Iterator[tuple[str, Style]]:
    for module in pkgutil.iter_modules(connectors.__path__):
        if module.ispkg:
            continue
        name = f"{connectors.__name__}.{module.name}"
        style = getattr(importlib.import_module(name), "CONNECTOR", None)
        if style is not None:
            yield name, cast("Style", style)


def _foreign() -> Iterator[tuple[str, Style]]:
    for entry in entry_points(group=GROUP):
        owner = entry.dist.name if entry.dist else "an unknown distribution"
        try:
            style = entry.load()
        except Exception as error:
            raise StyleError(
                f"{owner}: the connector {entry.value!r} cannot be loaded ({error!r})"
            ) from error
        if not isinstance(getattr(style, "descriptor", None), Descriptor):
            raise StyleError(f"{owner}: the connector {entry.value!r} has no descriptor")
        yield owner, cast("Style", style)
