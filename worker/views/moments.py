"""Moments in words."""

from __future__ import annotations

import datetime as dt


def moment(at: float) -> str:
    """To the second in UTC, as it stands in a table."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
