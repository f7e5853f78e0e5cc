"""The arrows between the rooms hold, and no API style has been forgotten when they are checked."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = ROOT / ".importlinter"


def styles() -> set[str]:
    files = (ROOT / "connectors").glob("*.py")
    return {f"connectors.{file.stem}" for file in files if file.stem != "__init__"}


def test_every_import_contract_is_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    command += ["--config", str(CONTRACTS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(("contract", "option"), [("styles", "source_modules"), ("styles-apart", "modules")])
def test_the_contracts_name_every_api_style(contract: str, option: str) -> None:
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS, encoding="utf-8")
    assert set(parser[f"importlinter:contract:{contract}"][option].split()) == styles()
