"""What a run found, row by row, as JSON: the drift of a reconciliation, the proposals of an enrolment."""

from __future__ import annotations

from connectors.sdk.model import Json
from worker.storage.audit import stamp
from worker.storage.drift_stories import DriftRow
from worker.storage.proposal_stories import ProposalRow


def drift_json(row: DriftRow) -> dict[str, Json]:
    return {
        "subject": row.subject,
        "account": row.remote_id,
        "field": row.field,
        "cause": row.cause,
        "wanted": row.wanted,
        "observed": row.observed,
        "mended": row.mends,
        "asked_at": stamp(row.asked_at),
        "changed_by": row.changed_by,
        "changed_at": row.changed_at,
    }


def proposal_json(row: ProposalRow) -> dict[str, Json]:
    return {
        "verdict": row.verdict.value,
        "account": row.remote_id,
        "name": row.name,
        "subject": row.subject,
        "agrees": list(row.agrees),
        "linked_to": row.other,
    }
