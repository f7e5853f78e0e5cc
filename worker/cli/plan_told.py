"""What the judging of a run counted, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sdk.model import Json


def counted_lines(note: Mapping[str, Json]) -> list[str]:
    """One line for each target that would change, and the fields."""
    counted: Any = note.get("counted") or {}
    held: Any = note.get("held") or {}
    gone = counted.get("deactivated", {})
    lines = []
    for name, changed in counted.get("changed", {}).items():
        share = f" of {held[name]} accounts, which is too much" if name in held else ""
        parts = [f"{name}: {changed} would change{share}"]
        parts.append(f"{counted['created'].get(name, 0)} of them do not exist yet")
        parts += [f"{gone[name]} would be deactivated"] if gone.get(name) else []
        lines.append("; ".join(parts))
    if counted.get("fields"):
        lines.append("fields: " + ", ".join(f"{name} ({count})" for name, count in counted["fields"].items()))
    return lines
