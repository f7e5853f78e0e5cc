"""What became of each event, as the sender reads it."""

from __future__ import annotations

import enum

from pydantic import BaseModel, Field

from worker.domain.event import Event
from worker.domain.strict_json import Refusal
from worker.engine.accept import Receipt
from worker.engine.rows import Acceptance


class Status(enum.StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Said(BaseModel):
    """What an event says, without its values."""

    type: str = Field(description="The native type.")
    subject: str
    time: float = Field(description="Seconds since the epoch.")
    attributes: list[str] = Field(description="The attributes that it sets or clears.")


class Result(BaseModel):
    """One event's. A duplicate's is that of the first."""

    id: str | None = Field(None, description="The event's id; absent where it could not be read.")
    status: Status
    correlation: str | None = Field(None, description="The id that the requests to the targets carry.")
    pointer: str | None = Field(None, description="JSON pointer of the place that was refused, in the event.")
    detail: str | None = Field(None, description="Why it was refused.")
    event: Said | None = Field(None, description="With validate=only: what it says.")


class Results(BaseModel):
    """In the order in which the events were sent."""

    results: list[Result]


def of_receipt(receipt: Receipt) -> Result:
    if receipt.verdict is Acceptance.REFUSED and receipt.refusal is not None:
        return of_refusal(receipt.refusal, receipt.event_id, receipt.correlation)
    return Result(id=receipt.event_id, status=Status.ACCEPTED, correlation=receipt.correlation)


def of_refusal(refusal: Refusal, event_id: str | None = None, correlation: str | None = None) -> Result:
    return Result(
        id=event_id,
        status=Status.REFUSED,
        correlation=correlation,
        pointer=refusal.pointer,
        detail=refusal.reason,
    )


def of_event(event: Event) -> Result:
    said = Said(type=event.type, subject=event.subject, time=event.time, attributes=sorted(event.assertions))
    return Result(id=event.id, status=Status.ACCEPTED, event=said)
