"""Audit records in plain words. Pure; says only what the record holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

from connectors.sdk.model import Json

_VALUE = 60


def summary(action: str, facts: Mapping[str, Json]) -> str:
    """What one record tells, in a few words."""
    words = [_changes(facts), _answer(facts), _held(action, facts), _rest(facts)]
    return "; ".join(word for word in words if word)


def changes(facts: Mapping[str, Json], events: Mapping[int, str] | None = None) -> list[str]:
    """`field: before → after`, with the event that set it where `events` (row to id) knows it."""
    listed = facts.get("changes")
    found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [_change(item, events or {}) for item in found]


def _change(item: Mapping[str, Json], events: Mapping[int, str]) -> str:
    row = item.get("event")
    by = f" (from {events[row]})" if isinstance(row, int) and row in events else ""
    return f"{item.get('field')}: {_value(item.get('before'))} → {_value(item.get('after'))}{by}"


def _value(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"


def _changes(facts: Mapping[str, Json]) -> str:
    return ", ".join(changes(facts))


def _answer(facts: Mapping[str, Json]) -> str:
    words = [str(facts[key]) for key in ("class", "status") if facts.get(key) is not None]
    took = facts.get("duration_ms")
    if isinstance(took, int | float):
        words.append(f"{took:.0f} ms")
    return " ".join(words)


def _held(action: str, facts: Mapping[str, Json]) -> str:
    if not action.startswith("account:field:"):
        return ""
    reason = facts.get("reason")
    return f"{facts.get('field')}{f' ({reason})' if reason else ''}"


def _rest(facts: Mapping[str, Json]) -> str:
    said = [facts.get("detail"), facts.get("why"), _refusal(facts), _names(facts.get("fields"))]
    link = facts.get("remote_id") or facts.get("former")
    said.append(f"remote id {link}" if link else None)
    return "; ".join(str(word) for word in said if word)


def _refusal(facts: Mapping[str, Json]) -> str:
    """Of an event at the door: its id, and why it was turned away where the record says so."""
    event, reason = facts.get("event"), facts.get("reason")
    if "body_sha256" not in facts:
        return str(reason) if reason and "field" not in facts else ""
    name = event or facts.get("task") or "(no id)"
    place = f"{facts.get('pointer') or 'the whole event'}: " if "pointer" in facts else ""
    return f"{name}{f': {place}{reason}' if reason else ''}"


def _names(fields: Json) -> str:
    if not isinstance(fields, dict):
        return ""
    return ", ".join(f"{name}: {message}" for name, message in fields.items())
