"""What pure code raises for one account is that account's trouble: the others go on.

The one place where such an exception is caught. It is logged by its type and by where it came from, never by
its message, which may quote values.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from types import TracebackType
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Stumbling(Protocol):
    """Work on one account or one event. `label` names it in logs."""

    @property
    def label(self) -> str: ...

    def stumbled(self, why: str, now: float) -> None: ...


class _Shelter:
    def __init__(self, work: Stumbling, now: float) -> None:
        self._work = work
        self._now = now

    def __enter__(self) -> None:
        """Nothing is needed before."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Whether the exception is this one's trouble; too little memory is everybody's."""
        if not isinstance(error, Exception) or isinstance(error, MemoryError):
            return False
        log.error("defect", work=self._work.label, **told(error))
        self._work.stumbled(f"a defect of Hirewire: {words(error)}", self._now)
        return True


def sheltered(work: Stumbling, now: float) -> _Shelter:
    """Go on after the block; where it raised, `work` was told."""
    return _Shelter(work, now)


def words(error: BaseException) -> str:
    """Type and place of an exception, without its message."""
    return f"{type(error).__name__} at {frames(error)[-1]}"


def told(error: BaseException) -> dict[str, object]:
    """For a log: the traceback without messages and lines of code."""
    return {"error": type(error).__name__, "frames": frames(error)}


def frames(error: BaseException) -> list[str]:
    """`file:line function`, the outermost first."""
    found = [
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return found or ["an unknown place"]
