"""From exceptions to exit codes and sentences: the one place that decides what is an operator's to mend.

Whatever is not in the table is a defect of ours and keeps its traceback.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from config.settings import ConfigurationError, SecretError
from connectors.sdk.text import one_line
from worker.engine.errors import BusyError, NotAllowedError
from worker.problems import BrokerMissingError
from worker.stack.errors import StackError


class Code(enum.IntEnum):
    """What the shell gets; documented in `hirewire --help`."""

    FINE = 0
    NOT_WELL = 1
    USAGE = 2
    AWAY = 3
    INTERRUPTED = 130


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says the way out."""


@contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """What a use case refuses with one of these, it refuses to whoever gave the command."""
    try:
        yield
    except kinds as error:
        raise UsageError(str(error)) from None


class NotReadyError(Exception):
    """Database or broker are not there as they are needed; the message says the way out."""


@dataclass(frozen=True, slots=True)
class Failure:
    code: Code
    lines: tuple[str, ...]


def explained(error: Exception) -> Failure | None:
    """None for what no operator can mend."""
    match error:
        case ConfigurationError():
            return Failure(Code.USAGE, error.problems)
        case NotAllowedError() | UsageError() | SecretError():
            return Failure(Code.USAGE, tuple(str(error).splitlines()))
        case NotReadyError() | BrokerMissingError():
            return Failure(Code.AWAY, (str(error),))
        case BusyError():
            return Failure(Code.AWAY, ("the database is busy: try again",))
        case OperationalError():
            words = one_line(str(error.orig))
            return Failure(
                Code.AWAY, (f"the database does not answer ({words}): check database.url and its server",)
            )
        case RedisError():
            words = one_line(str(error))
            return Failure(
                Code.AWAY, (f"the broker does not answer ({words}): check broker.url and its server",)
            )
        case StackError():
            return Failure(Code.NOT_WELL, tuple(str(error).splitlines()))
    return None
