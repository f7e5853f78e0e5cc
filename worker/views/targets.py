"""A configured target as JSON."""

from __future__ import annotations

from typing import Final

from config.settings import Target
from connectors.sdk.model import Json
from worker.storage.audit import stamp
from worker.storage.freshness import TargetState

NEW: Final = TargetState("new", None)
"""Configured, and met by no worker yet."""


def target_json(name: str, target: Target, state: TargetState) -> dict[str, Json]:
    return {
        "name": name,
        "connector": target.connector,
        "base_url": target.base_url or None,
        "mode": target.mode,
        "state": state.state,
        "max_in_flight": target.max_in_flight,
        "rate_per_s": target.rate_per_s,
        "reason": state.reason,
        "enrolled_at": None if state.enrolled_at is None else stamp(state.enrolled_at),
    }
