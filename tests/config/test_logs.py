"""Logs are one JSON object a line on standard error, from every library, and never hold a secret."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from config.logs import configure, correlated
from config.settings import Logs

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary-sEcReT-4711"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The process's logging as it was: pytest has handlers of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_both_worlds_write_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Logs())
    with correlated("c-1"):
        structlog.get_logger("worker.engine").info("account.settled", account=7)
        logging.getLogger("celery.worker").warning("lost %s", "x")
    structlog.get_logger("worker.engine").info("account.due")
    one, two, three = lines(capsys)
    assert (one["event"], one["account"], one["level"], one["logger"], one["correlation_id"]) == (
        "account.settled", 7, "info", "worker.engine", "c-1",
    )  # fmt: skip
    assert (two["event"], two["level"], two["logger"], two["correlation_id"]) == (
        "lost x",
        "warning",
        "celery.worker",
        "c-1",
    )
    assert set(one) - {"account"} == set(two)
    assert "correlation_id" not in three


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
