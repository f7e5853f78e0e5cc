"""Logs are one JSON object a line on standard error, from every library, and never hold a secret."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from config.logs import _CHATTY, _OURS, _QUOTING, catch_uncaught, configure
from config.settings import Logs

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary-sEcReT-4711"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The process's logging as it was: pytest has handlers of its own."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in (*_OURS, *_CHATTY, *_QUOTING)}
    hooks = sys.excepthook, threading.excepthook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)
    logging.raiseExceptions = raising
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_both_worlds_write_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Logs())
    with structlog.contextvars.bound_contextvars(correlation="c-1"):
        structlog.get_logger("worker.engine").info("account.settled", account=7)
        logging.getLogger("celery.worker").warning("lost %s", "x")
    structlog.get_logger("worker.engine").info("account.due")
    one, two, three = lines(capsys)
    assert (one["event"], one["account"], one["level"], one["logger"], one["correlation"]) == (
        "account.settled", 7, "info", "worker.engine", "c-1",
    )  # fmt: skip
    assert (two["event"], two["level"], two["logger"], two["correlation"]) == (
        "lost x",
        "warning",
        "celery.worker",
        "c-1",
    )
    assert set(one) - {"account"} == set(two)
    assert "correlation" not in three


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "token",
        "password",
        "authorization",
        "Authorization",
        "api_key",
        "client_secret",
        "set_cookie",
        "passwd",
    ],
)
def test_a_value_under_a_secret_key_never_gets_out(capsys: pytest.CaptureFixture[str], key: str) -> None:
    configure(Logs())
    structlog.get_logger().info("target.asked", **{key: CANARY}, nested=[{key: CANARY}])
    (line,) = lines(capsys)
    assert line[key] == "***"
    assert line["nested"] == [{key: "***"}]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_credential_inside_text_never_gets_out(capsys: pytest.CaptureFixture[str], form: str) -> None:
    configure(Logs.model_validate({"format": form}))
    logging.getLogger("kombu").error("connected to redis://:%s@127.0.0.1/0", CANARY)
    structlog.get_logger().info("x", header=f"Bearer {CANARY}", thing=Hideous())
    try:
        int(f"Authorization: Token {CANARY}")
    except ValueError:
        structlog.get_logger().exception("account.failed")
    text = capsys.readouterr().err
    assert CANARY not in text
    assert "redis://***@127.0.0.1/0" in text
    assert "ValueError" in text


class Hideous:
    def __repr__(self) -> str:
        return CANARY


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Logs(level="warning"))
    structlog.get_logger().info("quiet")
    logging.getLogger("celery").info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_configuring_twice_writes_each_record_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Logs())
    configure(Logs())
    structlog.get_logger().info("once")
    assert len(lines(capsys)) == 1


def failing() -> None:
    try:
        raise sqlite3.IntegrityError(f"Key (email)=({CANARY}) already exists")  # noqa: TRY301 - its context
    except sqlite3.IntegrityError as error:
        raise KeyError(CANARY) from error


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_shown_without_what_it_says(capsys: pytest.CaptureFixture[str], form: str) -> None:
    configure(Logs.model_validate({"format": form}))
    try:
        failing()
    except KeyError as error:
        logging.getLogger("celery.worker").error("Task handler raised error: %r", error, exc_info=error)  # noqa: TRY400
        structlog.get_logger().error("again", exc_info=True)
        structlog.get_logger().error("and again", exc_info=error)
    text = capsys.readouterr().err
    assert CANARY not in text
    assert "Key (" not in text
    assert text.count("sqlite3.IntegrityError") == text.count("in failing") / 2 == 3
    assert "raised error: 'KeyError'" in text.replace("\\", "")


def test_a_failed_task_is_told_by_the_kind_of_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    """As `celery.app.trace` does it: the error is text already."""
    configure(Logs())
    facts = {"name": "hirewire.ingest", "id": "1", "exc": f"ValueError('{CANARY}')"}
    log = logging.getLogger("celery.app.trace")
    log.error("Task %(name)s[%(id)s] raised: %(exc)s", facts, extra={"data": {"args": CANARY}})
    (line,) = lines(capsys)
    assert line["event"] == "Task hirewire.ingest[1] raised: ValueError"
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        "https://api.example.com/users/?email=mira%40example.com&page=2",
        "GET /api/v2/users/?username__in=mira.berg HTTP/1.1",
        "sent to mira.berg+work@mail.example.com.",
    ],
)
def test_who_is_named_by_an_address_is_not_told(capsys: pytest.CaptureFixture[str], text: str) -> None:
    configure(Logs())
    logging.getLogger("library").warning(text)
    assert "mira" not in capsys.readouterr().err


def test_libraries_say_nothing_below_info_and_quote_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Logs(level="debug"))
    logging.getLogger("worker.engine.fold").debug("ours", extra={"correlation": "c-1", "body": CANARY})
    logging.getLogger("celery.pool").debug("TaskPool: Apply %s", CANARY)
    logging.getLogger("redis.connection").debug("sent %s", CANARY)
    logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=%s)", CANARY)
    (line,) = lines(capsys)
    assert (line["event"], line["correlation"]) == ("ours", "c-1")


def test_a_line_that_cannot_be_written_does_not_show_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(Logs())
    logging.getLogger("library").warning("%d", CANARY)
    assert CANARY not in capsys.readouterr().err


def test_what_ends_a_thread_is_a_line_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Logs())
    catch_uncaught()

    def fail() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(CANARY), None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    one, two = lines(capsys)
    assert [(line["event"], line["level"]) for line in (one, two)] == [("uncaught", "critical")] * 2
    assert one["exception"].splitlines()[-1] == "RuntimeError"
    assert two["exception"] == "ValueError"
