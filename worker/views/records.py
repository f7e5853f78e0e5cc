"""An audit record as JSON."""

from __future__ import annotations

from connectors.sdk.model import Json
from worker.storage.records import Record


def record_json(record: Record) -> Json:
    """The record's own text, with its hash and the subject of its identity."""
    return {**record.facts, "subject": record.subject, "hash": record.hash}
