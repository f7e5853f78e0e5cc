"""Exceptions as a log may show them: which kind, and where; never what they say.

A message may quote whatever was being worked on: a database names the row that it refused, a library
the address with a person in its query. Kinds, places and the numbers that systems give their errors
are enough to find the line of code, and the audit has the rest.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_CHAIN_LIMIT: Final = 10


def kind(error: BaseException) -> str:
    """`sqlalchemy.exc.IntegrityError (23505)`, `ConnectionRefusedError (Connection refused)`."""
    named = type(error)
    name = (
        named.__qualname__ if named.__module__ == "builtins" else f"{named.__module__}.{named.__qualname__}"
    )
    number = _number(error)
    return f"{name} ({number})" if number else name


def told(error: BaseException) -> str:
    """The chain of exceptions, each with its frames, the last raised at the end."""
    return "\n".join(line for link in reversed([*_chain(error)]) for line in _lines(link))


def _number(error: BaseException) -> str | None:
    """What PostgreSQL (its own error, or one around it) or the operating system call this failure."""
    state = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    if isinstance(state, str):
        return state
    return os.strerror(error.errno) if isinstance(error, OSError) and isinstance(error.errno, int) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_CHAIN_LIMIT):
        if current is None:
            return
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield f"  {_short(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
    yield kind(error)
    if isinstance(error, BaseExceptionGroup):
        yield from (f"  with {kind(one)}" for one in error.exceptions)


def _short(filename: str) -> str:
    """Ours from the root of the project, others from their package's folder."""
    _, installed, below = filename.rpartition("site-packages/")
    if installed:
        return below
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else filename
