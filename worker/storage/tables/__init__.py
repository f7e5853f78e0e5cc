"""The tables.

The invariants that SQL can hold live here: one event per (source, id), one account per (identity,
target) and per (target, remote id), one audit row per (stream, seq). The migrations create the same
tables; a test compares the two.
"""

from __future__ import annotations

from worker.storage.tables.accounts import (
    account,
    decision,
    revocation,
    slot,
    target,
    unique_news,
    unique_value,
)
from worker.storage.tables.columns import BigId, JsonText, Time, metadata
from worker.storage.tables.people import (
    absence,
    event,
    identity,
    identity_alias,
    identity_name,
    sequence_gap,
    sequence_mark,
    snapshot,
    staged_event,
)
from worker.storage.tables.runs import drift, listed, proposal, run
from worker.storage.tables.system import (
    alarm,
    audit,
    audit_floor,
    audit_head,
    heartbeat,
    idempotency,
    lease,
    operator,
    refused_body,
)

__all__ = [
    "BigId",
    "JsonText",
    "Time",
    "absence",
    "account",
    "alarm",
    "audit",
    "audit_floor",
    "audit_head",
    "decision",
    "drift",
    "event",
    "heartbeat",
    "idempotency",
    "identity",
    "identity_alias",
    "identity_name",
    "lease",
    "listed",
    "metadata",
    "operator",
    "proposal",
    "refused_body",
    "revocation",
    "run",
    "sequence_gap",
    "sequence_mark",
    "slot",
    "snapshot",
    "staged_event",
    "target",
    "unique_news",
    "unique_value",
]
