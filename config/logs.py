"""Logs to standard error: static event names with key/value pairs, JSON or for the console.

One call of `configure` for each process; records of the standard library (ours, Celery, urllib3) take the
same way. Identifiers belong into a log, values of a person's attributes do not. Callers keep that; here is
what libraries would say in spite of it: exceptions are shown without their messages, addresses without
queries and credentials, values under secret-looking keys not at all, of `extra` only what is named here.
Below `info` only Hirewire itself speaks.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from datetime import date
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import structlog
from structlog.typing import Processor

from config.sections import Logs
from config.tracebacks import kind, told

IDENTIFIERS: Final = (
    "correlation", "correlations", "request", "target", "account", "identity", "shard", "run", "task",
)  # fmt: skip
"""What ties a line to others. Bound with `structlog.contextvars` around a task or a request."""

_FACTS: Final = (
    "method", "status", "class", "attempt", "duration_ms", "latency_s", "field", "held", "revision", "effect",
    "settled", "error", "frames", "work",
)  # fmt: skip
MASK: Final = "***"

_SECRET_KEY = re.compile(
    r"secret|token|passw|authorization|cookie|credential|api_?key|private_?key", re.IGNORECASE
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_IN_HEADER = re.compile(r"(?i)\b(bearer|basic|token)[ :=]+[\w.~+/=-]{8,}")
_IN_QUERY = re.compile(r"\?[\w.%\[\]-]+=[^\s\"'>)]*")
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_KIND = re.compile(r"[A-Za-z_][\w.]*")
_OURS: Final = ("config", "connectors", "worker")
_CHATTY: Final = ("asyncio", "alembic.runtime.plugins", "kombu", "amqp", "sqlalchemy")
_QUOTING: Final = ("urllib3", "requests")  # warn about answers with the whole address


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
    handler.addFilter(_without_errors_words)
    logging.raiseExceptions = False  # it would show the arguments of a line that cannot be written
    root = logging.getLogger()
    root.handlers[:] = [handler]
    _set_levels(_level(logs))


def _set_levels(level: int) -> None:
    logging.getLogger().setLevel(max(level, logging.INFO))
    for names, least in ((_OURS, level), (_CHATTY, logging.WARNING), (_QUOTING, logging.ERROR)):
        for name in names:
            logging.getLogger(name).setLevel(max(level, least))


def catch_uncaught() -> None:
    """An exception that ends a thread or the process is a line of the log like any other."""

    def uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            return
        logging.getLogger(__name__).critical("uncaught", exc_info=error)

    sys.excepthook = uncaught
    threading.excepthook = lambda of: uncaught(of.exc_type, of.exc_value or of.exc_type(), of.exc_traceback)


def _without_errors_words(record: logging.LogRecord) -> bool:
    """Libraries put exceptions into their sentences: of each its kind is left."""
    if isinstance(record.args, tuple):
        record.args = tuple(kind(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    elif isinstance(record.args, Mapping):
        record.args = {key: _wordless(key, arg) for key, arg in record.args.items()}
    return True


def _wordless(key: str, arg: object) -> object:
    """Celery gives `exc`, an exception already made into text."""
    if isinstance(arg, BaseException):
        return kind(arg)
    return _leading_name(str(arg)) if key == "exc" else arg


def _leading_name(text: str) -> str:
    found = _KIND.match(text)
    return found.group() if found else MASK


def mask(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG001 - a processor's signature
    """Replace what must not be read: values under secret-looking keys, credentials within text."""
    return {key: MASK if _SECRET_KEY.search(key) else _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    if isinstance(value, str):
        bare = _IN_QUERY.sub(f"?{MASK}", _IN_ADDRESS.sub(MASK, value))
        return _IN_HEADER.sub(rf"\1 {MASK}", _MAIL.sub(MASK, bare))
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
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder(allow=(*IDENTIFIERS, *_FACTS))],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            _traced,
            mask,
            renderer,
        ],
    )


def _traced(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    error = sys.exc_info()[1] if error is True else error
    if isinstance(error, BaseException):
        event["exception"] = told(error)
    return event


def _named(value: object) -> str:
    """Any other object: its type only, since its text could hold anything."""
    return f"<{type(value).__qualname__}>"


def _level(logs: Logs) -> int:
    return logging.getLevelNamesMapping()[logs.level.upper()]
