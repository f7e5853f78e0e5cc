"""docs/write-a-connector.md tells the truth: its code is the example, which the other tests run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.sdk.testing.checklist import page
from connectors.sdk.testing.suite import every_check
from tests.kit.projects import EXAMPLE, installed, own_tests
from worker.cli import main

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = (DOCS / "write-a-connector.md").read_text(encoding="utf-8")
BLOCKS = dict(
    re.findall(r"^`hirewire-acme/([\w./]+)`:\n\n```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
)
LINES = 80


def scaffold(folder: Path) -> Path:
    """What the first command of the document makes."""
    CliRunner().invoke(
        main.application(), ["connector", "new", "acme", "--into", str(folder)], catch_exceptions=False
    )
    return folder / "hirewire-acme"


def test_every_block_of_python_says_which_file_it_is() -> None:
    assert len(BLOCKS) == DOCUMENT.count("```python\n") == 4


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_the_code_of_the_document_is_that_of_the_example(name: str) -> None:
    assert BLOCKS[name] == (EXAMPLE / name).read_text(encoding="utf-8")


def test_the_connector_of_the_document_has_at_most_eighty_lines() -> None:
    assert len(BLOCKS["hirewire_acme.py"].splitlines()) <= LINES


def test_the_files_of_the_document_are_those_of_the_scaffold(tmp_path: Path) -> None:
    project = scaffold(tmp_path)
    told = set(re.findall(r"^\| `hirewire-acme/([\w./]+)` \|", DOCUMENT, re.MULTILINE))
    assert told == {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()} - {
        "README.md"
    }


@pytest.mark.slow
def test_whoever_follows_the_document_has_a_connector_that_passes(tmp_path: Path) -> None:
    project = scaffold(tmp_path)
    for name, code in BLOCKS.items():
        (project / name).write_text(code, encoding="utf-8")
    run = own_tests(project, installed(tmp_path, project))
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_checks_that_the_document_names_exist() -> None:
    known = {item.id for item in every_check()}
    named = set(re.findall(r"\"((?:scan|find|patch|contract)-\w+)\"|acme-([a-z]+-\w+)\]", DOCUMENT))
    assert {first or second for first, second in named} <= known
    assert named


def test_the_page_of_checks_is_that_of_the_kit() -> None:
    """Written anew by: python -m connectors.sdk.testing.checklist >docs/conformance.md"""
    assert (DOCS / "conformance.md").read_text(encoding="utf-8") == page()
