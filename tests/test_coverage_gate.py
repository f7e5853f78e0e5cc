"""The coverage gate fails where it should: below the floor, and where nothing was measured at all."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.coverage_gate import has_code, main, parts

if TYPE_CHECKING:
    from pathlib import Path

BRANCHY = "def f(x):\n    if x:\n        return 1\n    return 2\n\n\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package in ("config", "connectors", "worker", "worker/domain", "worker/cli"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / ".coveragerc").write_text("[run]\nbranch = true\nsource = config, connectors, worker\n")
    monkeypatch.chdir(tmp_path)
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(project: Path, code: str) -> int:
    """Measure this code in a process of its own, then pass the gate."""
    program = f"import coverage; c = coverage.Coverage(); c.start()\n{code}\nc.stop(); c.save()"
    subprocess.run([sys.executable, "-c", program], cwd=project, check=True)  # noqa: S603 - our own words
    return main(project)


def test_parts_cover_every_source_file_once(project: Path) -> None:
    (project / "worker" / "tasks.py").touch()
    assert parts(project) == {
        "config": ["config/*"],
        "connectors": ["connectors/*"],
        "worker/cli": ["worker/cli/*"],
        "worker/domain": ["worker/domain/*"],
        "worker": ["worker/__init__.py", "worker/tasks.py"],
    }
    assert not has_code(project, ["worker/cli/*"])


@pytest.mark.parametrize(("calls", "code"), [("f(1); f(0)", 0), ("f(1)", 1)])
def test_a_branch_that_never_ran_counts(project: Path, calls: str, code: int) -> None:
    (project / "config" / "a.py").write_text(BRANCHY)
    assert run(project, f"from config.a import f\n{calls}") == code


@pytest.mark.parametrize(("package", "code"), [("worker/cli", 0), ("worker/domain", 1)])
def test_the_floor_is_higher_where_a_mistake_sends_a_request(project: Path, package: str, code: int) -> None:
    """17 of 20 statements run: 85 %."""
    ran = "".join(f"x{n} = {n}\n" for n in range(14))
    did_not = "".join(f"def f{n}():\n    return 1\n\n" for n in range(3))
    (project / package / "a.py").write_text(ran + did_not)
    assert run(project, f"import {package.replace('/', '.')}.a") == code


def test_a_part_that_nothing_measured_fails(project: Path) -> None:
    (project / "connectors" / "a.py").write_text("x = 1\n")
    (project / "config" / "a.py").write_text("x = 1\n")
    assert run(project, "import config.a") == 1
