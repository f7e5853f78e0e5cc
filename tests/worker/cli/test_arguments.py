"""What the command line says about itself, and to those who call it wrongly."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from worker.cli import main

HEAVY = {
    "alembic",
    "celery",
    "config",
    "pydantic",
    "redis",
    "requests",
    "rich",
    "sqlalchemy",
    "worker.bootstrap",
}


AUDIT = ("list", "verify", "story", "seal", "baseline", "export", "key")
DEEPER = {
    "account": ("link", "unlink"),
    "audit": AUDIT,
    "connector": ("new",),
    "held": ("list", "show", "retry", "discard", "approve", "reject"),
    "identity": ("show", "rekey", "merge"),
    "operator": ("add", "list", "revoke"),
    "runs": ("list", "show", "approve", "cancel"),
    "schema": ("event",),
    "source": ("key", "secret"),
    "targets": ("pause", "resume"),
}
DECIDES = (["held", "retry"], ["held", "discard"], ["held", "approve"], ["held", "reject"])
READING = {"send", "status", "held", "audit", "check", "plan", "explain", "identity", "schema"}
WRITES_FILES = (["audit", "export"], ["audit", "key"])


def words_of(name: str) -> list[list[str]]:
    return [[name, deeper] for deeper in DEEPER[name]] if name in DEEPER else [[name]]


ALL = [words for name in main.COMMANDS for words in words_of(name)]


def test_help_imports_nothing_that_takes_time() -> None:
    program = (
        "import sys; from worker.cli.main import main\n"
        "sys.argv[1:] = ['--help']; code = main()\n"
        "sys.stderr.write(' '.join(sys.modules)); sys.exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert HEAVY & set(ended.stderr.split()) == set()
    assert all(name in ended.stdout for name in main.COMMANDS)
    assert "  3  the database or the broker cannot be reached" in ended.stdout


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_shows_an_example(words: list[str]) -> None:
    said = CliRunner().invoke(main.application(), [*words, "--help"])
    assert said.exit_code == 0
    assert f"Example: hirewire {' '.join(words)}" in said.output


@pytest.mark.parametrize("words", [w for w in ALL if w[0] in READING and w not in (*WRITES_FILES, *DECIDES)])
def test_every_reading_command_offers_json(words: list[str]) -> None:
    assert "--json" in CliRunner().invoke(main.application(), [*words, "--help"]).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["statsu"], "Did you mean 'status'"),
        (["send"], "Missing argument 'FILE...'"),
        (["runs", "cancel", "1"], "Missing option '--why'"),
        (["worker", "--pool", "solo"], "'solo' is not one of"),
        (["audit", "list", "--limit", "0"], "greater than or equal to 1"),
    ],
)
def test_a_wrong_call_is_exit_code_2_with_the_way_out(words: list[str], said: str) -> None:
    ended = CliRunner().invoke(main.application(), words)
    assert (ended.exit_code, said in ended.output) == (2, True), ended.output


def test_the_version_is_the_distribution_s() -> None:
    said = CliRunner().invoke(main.application(), ["--version"])
    assert said.output == "hirewire 0.1.0\n"
