"""An event's way, as its sender reads it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from worker.engine.tracing import Folding, There, Trace


class AtTarget(BaseModel):
    target: str
    state: There


class EventTrace(BaseModel):
    id: str
    source: str
    type: str = Field(description="The native type.")
    subject: str
    time: float = Field(description="Seconds since the epoch.")
    accepted_at: float = Field(description="Seconds since the epoch.")
    correlation: str = Field(description="The id that the requests to the targets carry.")
    folding: Folding = Field(description="What it did to the person's attributes.")
    revision: int | None = Field(None, description="The person's revision that it made.")
    targets: list[AtTarget]


def traced(trace: Trace) -> EventTrace:
    stored = trace.kept.stored
    return EventTrace(
        id=stored.event.id,
        source=stored.event.source,
        type=stored.event.type,
        subject=stored.event.subject,
        time=stored.event.time,
        accepted_at=stored.accepted_at,
        correlation=stored.correlation,
        folding=trace.folding,
        revision=trace.kept.revision,
        targets=[AtTarget(target=name, state=state) for name, state in trace.targets.items()],
    )
