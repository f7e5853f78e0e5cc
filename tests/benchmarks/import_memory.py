"""Peak memory of a dry-run import: `python -m tests.benchmarks.import_memory [LINES]...`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Protocol

CONFIGURATION = """
[sources.hr]
attributes = ["user_name", "given_name", "active"]

[targets.awx_prod]
connector = "awx"
base_url = "http://127.0.0.1:1"
credential = { scheme = "bearer", secret = "none" }
"""
HEADER = "Personalnummer,Login,Vorname,aktiv"
MAPPED = (
    "--map=subject=Personalnummer",
    "--map=user_name=Login",
    "--map=given_name=Vorname",
    "--map=active=aktiv",
)


class Place(Protocol):
    """Where commands run; the installation of the tests of the command line is one."""

    @property
    def folder(self) -> Path: ...
    def command(self, *words: str) -> list[str]: ...
    def environment(self) -> dict[str, str]: ...


class Installation:
    """A migrated database in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "hirewire.toml").write_text(CONFIGURATION)
        subprocess.run(self.command("migrate"), env=self.environment(), check=True, capture_output=True)  # noqa: S603 - our own words

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "worker.cli.main", *words]

    def environment(self) -> dict[str, str]:
        own = {"HIREWIRE_CONFIG": str(self.folder / "hirewire.toml")}
        return {**os.environ, **own, "HIREWIRE_STATE_DIR": str(self.folder / "var")}


def write_staff(path: Path, lines: int) -> None:
    with path.open("w") as stream:
        stream.write(HEADER + "\n")
        stream.writelines(f"E{n},user.{n},Given{n},yes\n" for n in range(lines))


def peak_of_rehearsal(place: Place, lines: int) -> int:
    """KiB that reading, staging and judging such a file takes at most."""
    path = place.folder / f"staff-{lines}.csv"
    write_staff(path, lines)
    asked = ("import", str(path), *MAPPED, "--source", "hr", "--why", "to measure", "--dry-run", "--json")
    process = subprocess.Popen(place.command(*asked), env=place.environment(), stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    peak = 0
    while process.poll() is None:
        peak = max(peak, _peak_kib(process.pid))
        time.sleep(0.1)
    if process.returncode != 0:
        raise RuntimeError(f"the import ended with {process.returncode}")
    return peak


def _peak_kib(pid: int) -> int:
    """As the kernel counts it; 0 for a process that has ended."""
    try:
        said = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line for line in said.splitlines() if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) if found else 0


def main() -> None:
    for lines in [int(word) for word in sys.argv[1:]] or [2_000, 20_000, 200_000]:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            peak = peak_of_rehearsal(Installation(Path(folder)), lines)
            took = time.monotonic() - started
            sys.stdout.write(f"{lines} lines: {peak / 1024:.0f} MiB, {took:.0f} s\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
