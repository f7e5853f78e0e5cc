"""`make setup` on odd machines: which way it takes, when it does nothing, what it says when it cannot go on.

The project's script is real; the programs around it are small stand-ins: no test may ask a package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("sh", "cat", "cksum", "rm", "mkdir", "flock", "make", "awk")
UV = """#!/bin/sh
echo "$1 $2" >>"$LOG"
[ "$1" != venv ] || exec {python} -m venv --without-pip .venv
[ ! -e "$LOG.broken" ]
"""
PYTHON = """#!/bin/sh
case "$*" in {refused}) exit 1 ;; esac
exec {python} "$@"
"""


def output_of(command: list[str], folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


class Machine:
    """A folder with the script, and a PATH with nothing but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "my project"
        self.bin = folder / "bin"
        self.log = folder / "uv.log"
        (self.project / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "scripts" / "bootstrap.sh", self.project / "scripts")
        shutil.copy(ROOT / "Makefile", self.project)
        self.write("requirements-dev.lock", "x==1\n")
        self.write("pyproject.toml", "[project]\n")
        for name in NEEDED:
            found = shutil.which(name)
            if found is not None:  # flock is not everywhere
                (self.bin / name).symlink_to(found)

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def with_python(self, refused: str = "nothing") -> None:
        self.program("python3", PYTHON.format(python=f"'{sys.executable}'", refused=refused))

    def with_uv(self) -> None:
        self.program("uv", UV.format(python=f"'{sys.executable}'"))

    def break_uv(self) -> None:
        Path(f"{self.log}.broken").touch()

    def mend_uv(self) -> None:
        Path(f"{self.log}.broken").unlink()

    def setup(self) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": str(self.bin), "LOG": str(self.log), "HOME": str(self.project)}
        command = [str(self.bin / "make"), "--no-print-directory", "setup"]
        return output_of(command, self.project, environ)

    def steps(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


ALL_STEPS = ["venv --quiet", "pip sync", "pip install"]
AGAIN = ["pip sync", "pip install"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_a_new_enough_python_one_line_says_so(machine: Machine) -> None:
    machine.with_python(refused="*version_info*")
    run = machine.setup()
    assert run.returncode != 0
    assert "setup: Python 3.11 or newer is needed" in run.stderr.splitlines()[0]


def test_without_venv_and_pip_one_line_says_what_to_install(machine: Machine) -> None:
    machine.with_python(refused="*ensurepip*|*pip*")
    run = machine.setup()
    assert run.returncode != 0
    assert (
        run.stderr.splitlines()[0] == "setup: this Python has neither venv nor pip: apt install python3-venv"
    )


def test_uv_is_used_where_it_is_on_the_path(machine: Machine) -> None:
    machine.with_python()
    machine.with_uv()
    run = machine.setup()
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "setup: ready (uv)"
    assert machine.steps() == ALL_STEPS


def test_a_second_setup_does_and_says_nothing(machine: Machine) -> None:
    machine.with_python()
    machine.with_uv()
    machine.setup()
    run = machine.setup()
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert machine.steps() == ALL_STEPS


@pytest.mark.parametrize("name", ["requirements-dev.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed(machine: Machine, name: str) -> None:
    machine.with_python()
    machine.with_uv()
    machine.setup()
    machine.write(name, "changed\n")
    assert machine.setup().returncode == 0
    assert machine.steps() == ALL_STEPS + AGAIN


def test_what_an_interrupted_setup_left_is_not_trusted(machine: Machine) -> None:
    machine.with_python(refused="*ensurepip*|*pip*")
    machine.with_uv()
    machine.break_uv()
    assert machine.setup().returncode != 0
    half_done = machine.project / ".venv" / "half-done"
    half_done.touch()
    machine.mend_uv()
    assert machine.setup().returncode == 0
    assert not half_done.exists()


def test_a_moved_project_gets_an_environment_of_its_own(machine: Machine) -> None:
    machine.with_python()
    machine.with_uv()
    machine.setup()
    machine.project = machine.project.rename(machine.project.with_name("moved"))
    assert machine.setup().returncode == 0
    assert machine.steps() == ALL_STEPS * 2


def test_make_alone_lists_every_command() -> None:
    environ = {**os.environ, "MAKEFLAGS": ""}
    listed = output_of(["make"], ROOT, environ).stdout
    targets = {
        line.split(":")[0]
        for line in (ROOT / "Makefile").read_text().splitlines()
        if ": " in line and line[0].islower()
    }
    named = {words[1] for words in map(str.split, listed.splitlines()) if words[:1] == ["make"]}
    assert named == {target for target in targets if " " not in target}
    assert {"setup", "demo", "run", "test", "lint"} <= named
