"""Completion, as a shell asks for it: a real bash reads the script; zsh and fish are asked as they ask."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.core import TyperGroup

from config.settings import DEFAULT_FILE
from tests.worker.cli.conftest import LIMIT_S
from worker.cli import completion
from worker.cli.main import COMMANDS, COMPLETING, application, load
from worker.cli.words import ROOT, WORDS

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

HEAVY = {
    "sqlalchemy",
    "celery",
    "redis",
    "requests",
    "worker.engine",
    "worker.bootstrap",
    "config",
}
NAMES_A_TARGET = {"targets pause", "targets resume", "targets enrol", "check", "reconcile"}
NAMES_A_SOURCE = {"source key", "source secret"}
ASK = """
source completion.bash
read -ra COMP_WORDS <<< "$1"
COMP_CWORD=$2
_hirewire_completion hirewire
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def shell(bare: Installation) -> Installation:
    """With `hirewire` on the path and the script that bash reads."""
    program = bare.folder / "bin" / "hirewire"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m worker.cli.main "$@"\n')
    program.chmod(0o755)
    bare.environ["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    (bare.folder / "completion.bash").write_text(bare.run("completion", "bash").out)
    return bare


def bash(shell: Installation, line: str, place: int) -> list[str]:
    """What bash offers for the word at a place."""
    ended = subprocess.run(  # noqa: S603 - our own words
        ["bash", "--norc", "-c", ASK, "bash", line, str(place)],  # noqa: S607 - whichever bash there is
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout.split()


def test_bash_completes_commands_options_and_names(shell: Installation) -> None:
    assert bash(shell, "hirewire tar", 1) == ["targets"]
    assert bash(shell, "hirewire held a", 2) == ["approve"]
    assert bash(shell, "hirewire held retry E1 --to", 4) == ["--token-file"]
    assert bash(shell, "hirewire held --target aw", 3) == ["awx_prod"]
    assert bash(shell, "hirewire targets pause", 3) == ["awx_prod"]
    assert bash(shell, "hirewire schema event --source h", 4) == ["hr"]
    assert bash(shell, "hirewire operator add mira --role ap", 5) == ["approver"]


def test_without_a_configuration_that_can_be_read_there_are_no_names_and_no_complaint(
    shell: Installation,
) -> None:
    for text in ("", "targets = 7", "[targets", "\ufeff\x00"):
        shell.configuration.write_text(text)
        assert bash(shell, "hirewire targets pause", 3) == []
    shell.configuration.unlink()
    assert bash(shell, "hirewire targets pause", 3) == []


def test_names_are_those_of_the_file_that_the_command_is_given(shell: Installation) -> None:
    other = shell.folder / "other.toml"
    other.write_text("[targets.crm]\n")
    assert bash(shell, f"hirewire --config {other} held --target", 5) == ["crm"]
    assert bash(shell, f"hirewire held --config {other} --target", 5) == ["crm"]
    assert completion.DEFAULT_FILE == DEFAULT_FILE


def test_a_tab_in_a_terminal_completes_the_word(shell: Installation) -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],  # noqa: S607 - whichever bash there is
        cwd=shell.folder,
        env=shell.environment({"TERM": "dumb", "PS1": "$ ", "HISTFILE": ""}),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        os.write(main, b"source completion.bash; echo rea''dy\n")
        shown = until_shown(main, "ready")
        os.write(main, b"hirewire tar\t")
        shown = until_shown(main, "targets ")
        assert "hirewire targets " in shown
    finally:
        process.kill()
        process.wait(LIMIT_S)
        os.close(main)


def until_shown(main: int, words: str) -> str:
    """What the terminal shows until these words are there."""
    shown, end = "", time.monotonic() + LIMIT_S
    while words not in shown and time.monotonic() < end:
        shown += os.read(main, 4096).decode(errors="replace")
    return shown


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_the_other_shells_get_a_script_and_the_same_answers(shell: Installation, name: str) -> None:
    """Those shells are asked for as their scripts do; the shells themselves need not be here."""
    script = shell.run("completion", name)
    assert (script.code, COMPLETING in script.out) == (0, True)
    asked = {
        COMPLETING: f"complete_{name}",
        "_TYPER_COMPLETE_ARGS": "hirewire targets pause a",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    assert "awx_prod" in shell.run(env=asked).out


def test_a_shell_that_is_not_known_is_a_wrong_call(bare: Installation) -> None:
    assert bare.run("completion", "csh").code == 2


def test_an_answer_imports_no_command_and_nothing_that_takes_time(bare: Installation) -> None:
    program = (
        "import sys; from worker.cli.main import main\n"
        "code = main(); sys.stderr.write(' '.join(sys.modules)); sys.exit(code)"
    )
    asked = {COMPLETING: "complete_bash", "COMP_WORDS": "hirewire targets pause ", "COMP_CWORD": "3"}
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program],
        env=bare.environment(asked),
        cwd=bare.folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert ended.stdout.split() == ["awx_prod"]
    assert (HEAVY | {"worker.cli.targets"}) & set(ended.stderr.split()) == set()


def test_the_table_of_words_is_what_the_commands_take() -> None:
    """Where this fails, the right hand side is what belongs into worker/cli/words.py."""
    assert typed("", typer.main.get_command(application())) == ROOT
    assert dict(WORDS) == {words: typed(words, found) for words, found in commands().items()}


def commands() -> dict[str, Any]:
    """Every command that takes words of its own."""
    found: dict[str, Any] = {}
    for name in COMMANDS:
        command = load(name)
        deeper = command.commands if isinstance(command, TyperGroup) else {}
        found |= {name: command} if command.params or not deeper else {}
        found |= {f"{name} {last}": inner for last, inner in deeper.items()}
    return found


def typed(words: str, command: Any) -> str:
    return " ".join(_word(words, parameter) for parameter in command.params)


def _word(words: str, parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _value(words, parameter) + ("..." if parameter.nargs == -1 else "")
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f"={_value(words, parameter)}"
    return names + value + ("*" if parameter.multiple else "")


def _value(words: str, parameter: Any) -> str:
    if "--target" in parameter.opts or (words in NAMES_A_TARGET and parameter.param_type_name == "argument"):
        return "TARGET"
    kind = parameter.type_descriptor
    if kind.is_choice and kind.choices:
        return "|".join(str(getattr(choice, "value", choice)) for choice in kind.choices)
    named = words in NAMES_A_SOURCE and parameter.param_type_name == "argument"
    return "SOURCE" if named or "--source" in parameter.opts else "_"
