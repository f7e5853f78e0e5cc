"""An exception in a log: which kind, where, and no word of what it says."""

from __future__ import annotations

from config.tracebacks import kind, told

CANARY = "canary-mira.berg"


class StateError(Exception):
    """As drivers of databases number their errors."""

    sqlstate = "23505"


class AroundError(Exception):
    """As SQLAlchemy keeps the driver's."""

    orig = StateError(CANARY)


def test_a_failure_is_named_and_numbered() -> None:
    assert kind(ValueError(CANARY)) == "ValueError"
    assert kind(ConnectionRefusedError(111, CANARY)) == "ConnectionRefusedError (Connection refused)"
    assert kind(FileNotFoundError(2, CANARY, CANARY)) == "FileNotFoundError (No such file or directory)"
    assert kind(OSError(CANARY)) == "OSError"
    assert kind(StateError(CANARY)) == kind(AroundError(CANARY)).replace("Around", "State")
    assert kind(AroundError(CANARY)) == f"{__name__}.AroundError (23505)"


def failing(depth: int) -> None:
    local = CANARY
    if depth:
        try:
            failing(depth - 1)
        except ValueError:
            raise TypeError(local)  # noqa: B904 - the context is what this is about
    raise ValueError(local)


def test_the_whole_chain_is_told_with_its_places() -> None:
    try:
        failing(1)
    except TypeError as error:
        text = told(error)
    assert CANARY not in text
    kinds = [line for line in text.splitlines() if not line.startswith(" ")]
    assert kinds == ["ValueError", "TypeError"]
    assert text.count("tests/config/test_tracebacks.py:") == 4


def test_of_a_group_each_is_named() -> None:
    text = told(ExceptionGroup(CANARY, [ValueError(CANARY), KeyError(CANARY)]))
    assert text.splitlines() == ["ExceptionGroup", "  with ValueError", "  with KeyError"]


def test_a_chain_that_bites_its_tail_ends() -> None:
    error = ValueError(CANARY)
    error.__cause__ = KeyError(CANARY)
    error.__cause__.__cause__ = error
    assert len(told(error).splitlines()) == 10
