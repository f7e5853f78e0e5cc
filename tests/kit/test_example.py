"""The example: another distribution brings a connector, and it keeps every promise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from acme_document import DOCUMENT
from acme_server import AcmeServer
from hirewire_acme import AcmeConnector

from connectors.sdk.testing import conformance
from tests.kit.projects import EXAMPLE, installed, own_tests

LINES = 80

test_conformance = conformance(AcmeConnector, AcmeServer, document=DOCUMENT)


def test_the_example_is_a_complete_connector_in_eighty_lines() -> None:
    assert len((EXAMPLE / "hirewire_acme.py").read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.slow
def test_a_distribution_registers_its_connector_by_entry_point_and_passes_the_whole_kit(
    tmp_path: Path,
) -> None:
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    run = own_tests(project, installed(tmp_path, project))
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


def test_an_entry_point_makes_the_style_known_by_its_name(tmp_path: Path) -> None:
    program = "from connectors.sdk.registry import style_named; print(style_named('acme').descriptor.title)"
    run = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program],
        env=installed(tmp_path, EXAMPLE),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.strip() == "Acme People"
