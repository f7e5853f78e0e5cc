"""Exit codes: what every command has in common, and that the page tells whatever is a command's own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.worker.cli.conftest import LIMIT_S
from tests.worker.cli.test_completion import commands, typed
from worker.cli.failures import Code
from worker.cli.main import MODULES

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

ROOT = Path(__file__).resolve().parents[3]
ONE_BY_ONE = """
import contextlib, io, json, sys
from worker.cli.main import main

codes = []
for words in json.load(sys.stdin):
    sys.argv = ["hirewire", *words]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        codes.append(main())
print(json.dumps(codes))
"""
WITHOUT_CONFIGURATION = {"connector new", "completion", "audit key"}
WITHOUT_DATABASE = {
    *WITHOUT_CONFIGURATION,
    "source key",
    "source secret",
    "schema event",
    "up",
    "migrate",
    "beat",
}
SAYS_WHOM = {"prune": ["--dry-run"], "plan": ["E1"], "resync": ["E1", "--why", "x"]}
FOR_EXAMPLE = {"TARGET": "awx_prod", "SOURCE": "hr", "_": "1"}


def codes(installation: Installation, words: list[list[str]]) -> dict[str, int]:
    """The exit code of each command, called one after the other in one process."""
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", ONE_BY_ONE],
        input=json.dumps(words),
        cwd=installation.folder,
        env=installation.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    found = json.loads(ended.stdout.splitlines()[-1])
    return {" ".join(called): code for called, code in zip(words, found, strict=True)}


def called(words: str, command: Any) -> list[str]:
    """The command with all that it requires."""
    said = words.split()
    for parameter, word in zip(command.params, typed(words, command).split(), strict=True):
        if parameter.required:
            name, _, value = word.rstrip("*").removesuffix("...").rpartition("=")
            said += [*([name] if name else []), FOR_EXAMPLE.get(value, value.partition("|")[0])]
    return [*said, *SAYS_WHOM.get(words, [])]


def calls(besides: set[str]) -> list[list[str]]:
    return [called(words, command) for words, command in commands().items() if words not in besides]


def unlike(found: dict[str, int], code: Code) -> dict[str, int]:
    """What ended otherwise; `audit verify` says 3 for whatever keeps it from looking."""
    return {words: got for words, got in found.items() if got != code and words != "audit verify"}


def test_a_wrong_configuration_is_exit_code_2_of_every_command(bare: Installation) -> None:
    bare.configuration.write_text("[engine]\nthraeds = 2\n")
    found = codes(bare, calls(WITHOUT_CONFIGURATION))
    assert unlike(found, Code.USAGE) == {}
    assert found["audit verify"] == Code.AWAY


def test_a_database_that_is_not_migrated_is_exit_code_3_of_every_command(bare: Installation) -> None:
    bare.file("{}", name="1")  # a file for `send` and `import`
    found = codes(bare, calls(WITHOUT_DATABASE))
    assert unlike(found, Code.AWAY) == {}
    assert found["audit verify"] == Code.AWAY


def test_the_page_tells_the_commands_that_have_a_code_of_their_own() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("\n### Exit codes\n")[2].partition("\n### ")[0]
    rows = dict(re.findall(r"^\| `hirewire ([\w ]+)` \| (.+) \|$", section, re.MULTILINE))
    told = {words: set(re.findall(r"\b(\d+):", row)) for words, row in rows.items()}
    own = {words: _own(command) for words, command in commands().items()}
    assert told == {words: found for words, found in own.items() if found}


def _own(command: Any) -> set[str]:
    """The codes beside 0 that a command's help tells as its own."""
    told = (command.help or "").partition("Exit code ")[2].partition("\n\n")[0]
    return set(re.findall(r"(?:^|[ ,.])(\d+)(?=[: ]|,)", told)) - {"0"}


def test_whatever_module_answers_not_well_has_a_command_whose_help_says_when() -> None:
    silent = []
    for words, command in commands().items():
        name = words.split()[0]
        file = ROOT / "worker" / "cli" / f"{MODULES.get(name, name)}.py"
        answers = "Code.NOT_WELL" in file.read_text(encoding="utf-8")
        family = [found for other, found in commands().items() if other.split()[0] == name]
        if answers and not any("Exit code" in (found.help or "") for found in [command, *family]):
            silent.append(words)
    assert silent == []
