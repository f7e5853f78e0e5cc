"""`hirewire connector new`: what it writes works as it is, and nothing is ever written over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.sdk.registry import style_named
from tests.kit.projects import installed, own_tests
from worker.cli import main
from worker.cli.failures import Code, UsageError, explained


def made(*words: str) -> str:
    """What the command says."""
    ended = CliRunner().invoke(main.application(), ["connector", "new", *words], catch_exceptions=False)
    assert ended.exit_code == 0
    return ended.stdout


def refused(*words: str) -> str:
    with pytest.raises(UsageError) as raised:
        made(*words)
    failure = explained(raised.value)
    assert failure is not None
    assert failure.code is Code.USAGE
    return "\n".join(failure.lines)


def test_a_scaffold_is_a_whole_project(tmp_path: Path) -> None:
    said = json.loads(made("acme_people", "--into", str(tmp_path), "--json"))
    project = tmp_path / "hirewire-acme-people"
    assert said["connector"] == "acme_people"
    assert said["folder"] == str(project)
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert files == {*said["files"]}
    assert [name for name in files if "$" in (project / name).read_text(encoding="utf-8")] == []


@pytest.mark.slow
@pytest.mark.parametrize("which", [("-k", "contract"), ()], ids=["contract", "whole kit"])
def test_a_scaffold_passes_the_kit_as_it_is(tmp_path: Path, which: tuple[str, ...]) -> None:
    made("acme_people", "--into", str(tmp_path))
    project = tmp_path / "hirewire-acme-people"
    run = own_tests(project, installed(tmp_path, project), *which)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


def test_a_scaffold_names_its_style_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made("kit_scaffold", "--into", str(tmp_path / "below" / "here"))
    project = tmp_path / "below" / "here" / "hirewire-kit-scaffold"
    installed(tmp_path, project)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(project)
    assert style_named("kit_scaffold").descriptor.title == "Kit Scaffold"


def test_a_scaffold_keeps_the_rules_of_style(tmp_path: Path) -> None:
    """Formatted, and clean by the rules that need no package to be installed."""
    made("acme", "--into", str(tmp_path))
    ruff = [str(Path(sys.executable).with_name("ruff")), "format", "--check", "--line-length", "110", "."]
    run = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "hirewire-acme").mkdir()
    (tmp_path / "hirewire-acme" / "mine.txt").write_text("mine")
    said = refused("acme", "--into", str(tmp_path))
    assert "hirewire-acme exists already: nothing was written; give another folder with --into" in said
    assert [path.name for path in (tmp_path / "hirewire-acme").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Acme", "'Acme' cannot be the name of a style: say it like acme or acme_people"),
        ("acme-people", "cannot be the name of a style"),
        ("../acme", "cannot be the name of a style"),
        ("9lives", "cannot be the name of a style"),
        ("acme__x", "cannot be the name of a style"),
        ("awx", "there is a connector 'awx' already: choose another name"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_way_out(tmp_path: Path, name: str, words: str) -> None:
    assert words in refused(name, "--into", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert "file" in refused("acme", "--into", str(tmp_path / "file"))
