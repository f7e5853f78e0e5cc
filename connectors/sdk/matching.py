"""Searching by value: what can be asked for, and checking again what came back. Pure.

A filter that the server ignores answers with everybody; nobody is a match for being in an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.sdk.fields import Field, FieldType
from connectors.sdk.model import Match, Record
from connectors.sdk.text import is_storable


def searchable(
    fields: Mapping[str, Field], wanted: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The documented, writable text fields among `wanted`, with the values an account could hold."""
    found: dict[str, tuple[str, ...]] = {}
    for name, values in wanted.items():
        field = fields.get(name)
        if field is None or field.type is not FieldType.TEXT or field.read_only or field.write_only:
            continue
        usable = tuple(
            dict.fromkeys(text for value in values if is_storable(value) and (text := value.strip()))
        )
        if usable:
            found[name] = usable
    return found


def matches_in(
    accounts: Iterable[tuple[str, Record]], wanted: Mapping[str, tuple[str, ...]]
) -> dict[str, Match]:
    """By remote id: the accounts that hold one of the values, with every field that agrees."""
    found: dict[str, Match] = {}
    for remote_id, record in accounts:
        matched = tuple(name for name, values in wanted.items() if record.get(name) in values)
        if matched:
            found[remote_id] = Match(remote_id, record, matched)
    return found
