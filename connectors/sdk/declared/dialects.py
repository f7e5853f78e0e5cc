"""Dialects to declare: how an API's JSON differs from the field table, built from a target's options."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from connectors.sdk.dialect import PLAIN, Dialect
from connectors.sdk.model import Json
from connectors.sdk.names import NamedSets, NameIds, configured_names

NO_OPTIONS: Final[Mapping[str, Json]] = MappingProxyType({})
OF_EVERY_STYLE: Final = ("find_page_cap",)


class Dialects(Protocol):
    """What makes the dialect of one target."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options that it reads."""

    def built(self, options: Mapping[str, Json]) -> Dialect:
        """Raises `ValueError` for an option that cannot be."""


class PlainJson:
    """The fields are the API's own keys and values."""

    options: tuple[str, ...] = ()

    def built(self, options: Mapping[str, Json]) -> Dialect:
        """See `Dialects.built`."""
        del options
        return PLAIN


class NamedIds:
    """Sets of names whose API takes ids: `options.FIELD` is the table of name = id."""

    def __init__(self, *fields: str) -> None:
        self.options = fields

    def built(self, options: Mapping[str, Json]) -> Dialect:
        """See `Dialects.built`."""
        return NamedSets(
            {name: NameIds(_noun(name), configured_names(options, name)) for name in self.options}
        )


PLAIN_JSON: Final = PlainJson()


def known_options(options: Mapping[str, Json] | None, dialects: Dialects) -> Mapping[str, Json]:
    """Raises `ValueError` for an option that the style does not have."""
    known = (*dialects.options, *OF_EVERY_STYLE)
    unknown = sorted(set(options or ()) - set(known))
    if unknown:
        raise ValueError(f"options.{unknown[0]} is not known; there are {', '.join(known)}")
    return options or NO_OPTIONS


def _noun(field: str) -> str:
    """What one member of a set is called in messages."""
    return field.replace("_", " ").removesuffix("s")
