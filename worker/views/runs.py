"""A run as JSON: what it is, how far it is, and what the audit tells of it."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sdk.model import Json
from worker.storage.audit import stamp
from worker.storage.run_looks import RunLook
from worker.storage.run_stories import RunStory
from worker.storage.run_tales import Tale


def run_json(item: RunStory) -> dict[str, Json]:
    return {
        "run": item.id,
        "kind": item.kind,
        "state": item.state,
        "selection": dict(item.selection),
        "judged": item.total,
        "marked": item.done,
        "requested_by": item.requested_by,
        "requested_at": stamp(item.created_at),
        "finished_at": None if item.finished_at is None else stamp(item.finished_at),
        "plan": item.plan_hash,
        "note": dict(item.note),
    }


def progress_json(item: RunStory, seen: RunLook, now: float) -> dict[str, Json]:
    """`read`: what was marked and does not wait for its read any more; the rate is that of the whole time."""
    rate, left_s = average(item, seen, now)
    return {"read": seen.done, "stuck": seen.stuck, "per_second": rate, "left_s": left_s}


def average(item: RunStory, seen: RunLook, now: float) -> tuple[float | None, float | None]:
    """Done per second since it was asked for, and the seconds that the rest takes at that."""
    took = now - item.created_at
    if seen.total is None or seen.done == 0 or took <= 0 or seen.is_over:
        return None, None
    rate = seen.done / took
    return rate, max(0, seen.total - seen.done) / rate


def told_json(told: Sequence[Tale]) -> Json:
    return [{"at": stamp(one.at), "word": one.word, "by": one.actor, "why": one.why} for one in told]
