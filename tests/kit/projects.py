"""Distributions in folders, as if they were installed: nothing is downloaded and nothing is built."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

EXAMPLE = Path(__file__).with_name("example")


def installed(folder: Path, project: Path) -> dict[str, str]:
    """The environment in which the distribution of a project folder counts as installed."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n"
    )
    groups = declared["entry-points"].items()
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in table.items()) for group, table in groups
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (root, folder, project)))}


def own_tests(project: Path, environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    """The project's own tests, as its author runs them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    return subprocess.run(  # noqa: S603 - our own words
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
