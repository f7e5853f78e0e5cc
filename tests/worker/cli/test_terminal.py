"""How listings look in a terminal of 80 and of 200 columns, and in a pipe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from tests.worker.cli.conftest import event
from tests.worker.cli.test_completion import commands
from tests.worker.cli.test_exit_codes import called

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def listed(migrated: Installation) -> Installation:
    """With a target whose name and address are as long as they come, and one event."""
    with migrated.configuration.open("a", encoding="utf-8") as file:
        file.write(LONG)
    migrated.accept(event("ev-1", kind="joined", user_name="anna"))
    migrated.fold()
    return migrated


LONG = """
[targets.directory_of_the_northern_plants]
connector = "staff_users"
base_url = "https://directory.northern-plants.example.com/staff"
credential = { scheme = "token", secret = "canary-secret" }
"""


def plain(shown: str) -> str:
    return _STYLE.sub("", shown)


def widest(shown: str) -> int:
    return max(cell_len(line) for line in plain(shown).splitlines())


@pytest.mark.parametrize("name", ["status", "targets"])
def test_no_word_is_broken_and_nothing_is_wider_than_the_terminal(listed: Installation, name: str) -> None:
    piped = listed.run(name)
    words = {word for word in piped.out.split() if len(word) > len("target")}  # and no moments
    for width in (80, 200):
        shown = listed.in_terminal(width, name).out
        assert plain(shown) != shown  # a terminal gets its styles
        assert widest(shown) <= width
        assert words - set(plain(shown).split()) == set()
    assert "\x1b" not in piped.out + piped.errors
    rows = [line for line in piped.out.splitlines() if line.startswith(("awx_prod", "directory_of"))]
    assert len(rows) == 2  # each in one line


ENDLESS = {"up", "worker", "beat", "api"}


@pytest.mark.slow
@pytest.mark.parametrize("words", sorted(set(commands()) - ENDLESS))
def test_every_command_is_readable_in_a_terminal_and_plain_in_a_pipe(
    listed: Installation, words: str
) -> None:
    listed.file(event("ev-2", title="Lead"), name="1")
    asked = called(words, commands()[words])
    listed.run("operator", "add", "first", "--role", "admin")  # so that tokens are asked for, as in earnest
    piped = listed.run(*asked)
    assert "\x1b" not in piped.out + piped.errors
    for width in (80, 200):
        shown = listed.in_terminal(width, *asked)
        assert shown.code == piped.code
        assert "Traceback" not in shown.out
        assert shown.out or not (piped.out + piped.errors)


@pytest.mark.slow
@pytest.mark.parametrize("words", sorted(commands()))
def test_every_help_fits_the_terminal(listed: Installation, words: str) -> None:
    for width in (80, 200):
        shown = listed.in_terminal(width, *words.split(), "--help")
        assert (shown.code, widest(shown.out) <= width) == (0, True)
    assert "\x1b" not in listed.run(*words.split(), "--help").out
