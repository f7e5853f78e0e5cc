"""Logs to standard error: static event names with key/value pairs, JSON or for the console.

One call of `configure` for each process; records of the standard library (Celery, SQLAlchemy, urllib3) take
the same way. Values under secret-looking keys and credentials inside addresses never get out. Identifiers
belong into a log, values of a person's attributes do not: that is for the caller to keep.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

import structlog
from structlog.typing import Processor

from config.sections import Logs

MASK: Final = "***"

_SECRET_KEY = re.compile(
    r"secret|token|passw|authorization|cookie|credential|api_?key|private_?key", re.IGNORECASE
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_IN_HEADER = re.compile(r"(?i)\b(bearer|basic|token)[ :=]+[\w.~+/=-]{8,}")
_CHATTY: Final = ("urllib3", "asyncio", "alembic.runtime.plugins", "kombu", "amqp")


def configure(logs: Logs) -> None:
    """Route structlog and the standard library to standard error. Calling it again starts over."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_level(logs)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(logs))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_level(logs))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(_level(logs), logging.WARNING))


def correlated(correlation_id: str) -> AbstractContextManager[None]:
    """While open, every record of this thread and context carries `correlation_id`."""
    return structlog.contextvars.bound_contextvars(correlation_id=correlation_id)


def mask(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG001 - a processor's signature
    """Replace what must not be read: values under secret-looking keys, credentials within text."""
    return {key: MASK if _SECRET_KEY.search(key) else _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    if isinstance(value, str):
        return _IN_HEADER.sub(rf"\1 {MASK}", _IN_ADDRESS.sub(MASK, value))
    if isinstance(value, Mapping):
        return {
            key: MASK if isinstance(key, str) and _SECRET_KEY.search(key) else _masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    if isinstance(value, date | PurePath | UUID):
        return _masked(str(value))
    return value if value is None or isinstance(value, bool | int | float) else _named(value)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]


def _formatter(logs: Logs) -> logging.Formatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if logs.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask,
            renderer,
        ],
    )


def _named(value: object) -> str:
    """Any other object: its type only, since its text could hold anything."""
    return f"<{type(value).__qualname__}>"


def _level(logs: Logs) -> int:
    return logging.getLevelNamesMapping()[logs.level.upper()]
