"""The parameters that routes share: what a name may look like, in the address and in a body."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from worker.engine.rows import RunState

_PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"  # PostgreSQL keeps no NUL
_LONG: Final = 512
_MOST: Final = 1_000

Text = Annotated[str, Field(min_length=1, max_length=_LONG, pattern=_PRINTABLE)]
Reason = Annotated[
    str,
    Field(
        min_length=1, max_length=2000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$", description="For the audit."
    ),
]

SubjectPath = Annotated[
    str, Path(description="HR key.", min_length=1, max_length=_LONG, pattern=_PRINTABLE, examples=["E1001"])
]
TargetPath = Annotated[
    str, Path(description="A configured target.", min_length=1, max_length=_LONG, pattern=_PRINTABLE)
]
FieldPath = Annotated[
    str, Path(description="A held field.", min_length=1, max_length=_LONG, pattern=_PRINTABLE)
]
RunPath = Annotated[int, Path(description="The run's number.", ge=1, le=2**53 - 1)]

Filter = Annotated[str | None, Query(min_length=1, max_length=_LONG, pattern=_PRINTABLE)]
TargetsQuery = Annotated[
    list[Text] | None, Query(max_length=_MOST, description="Only these targets; may be given again.")
]
StateQuery = Annotated[RunState | None, Query(description="Only runs in this state.")]
Names = Annotated[list[Text], Field(min_length=1, max_length=_MOST)]


class Body(BaseModel):
    """What is sent; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Why(Body):
    """A reason, and nothing else."""

    why: Reason


def seconds(moment: dt.datetime) -> float:
    """Since the epoch."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return (known - dt.datetime.fromtimestamp(0, dt.UTC)).total_seconds()
