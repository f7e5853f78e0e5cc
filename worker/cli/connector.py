"""`hirewire connector new`: the scaffold of a distribution with one connector, which passes the kit."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from connectors.sdk.registry import styles
from worker.cli.common import JsonOption, group
from worker.cli.failures import UsageError, refusing
from worker.cli.output import document, hint, line

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
FILES: Final = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "{module}.py": "connector.py.txt",
    "tests/{name}_server.py": "server.py.txt",
    "tests/test_conformance.py": "test_conformance.py.txt",
}
"""Where each file lies, and the template that it is made from."""


def command() -> TyperGroup:
    return group("connector", _about, {"new": new})


def _about() -> None:
    """Write the scaffold of a connector for one more API."""


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the style: a-z first, then a-z, 0-9, _")],
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", help="Where the project's folder is made.")
    ] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write a project with a connector that works: its module, reference server, tests, entry point.

    Example: hirewire connector new acme --into projects
    """
    _require_name(name)
    words = _words(name)
    folder = into / words["project"]
    with refusing(OSError):
        written = _written(folder, words)
    if as_json:
        document({"connector": name, "folder": str(folder), "files": [*written]})
        return
    line(f"{folder}: " + ", ".join(written))
    hint(f"run its checks: cd {folder} && python -m pytest; then docs/write-a-connector.md")


def _require_name(name: str) -> None:
    """Raises UsageError for what cannot be the name of a new style."""
    if NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise UsageError(f"{name!r} cannot be the name of a style: say it like acme or acme_people")
    if name in styles():
        raise UsageError(f"there is a connector {name!r} already: choose another name")


def _words(name: str) -> dict[str, str]:
    """What the templates say `$word` for."""
    parts = name.split("_")
    return {
        "name": name,
        "module": f"hirewire_{name}",
        "project": f"hirewire-{'-'.join(parts)}",
        "prefix": "".join(part.capitalize() for part in parts),
        "title": " ".join(part.capitalize() for part in parts),
    }


def _written(folder: Path, words: dict[str, str]) -> list[str]:
    """Make the folder and everything in it; the files' names. Raises OSError, UsageError."""
    if folder.exists():
        raise UsageError(f"{folder} exists already: nothing was written; give another folder with --into")
    made = {place.format(**words): _filled(template, words) for place, template in FILES.items()}
    for place, text in made.items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(made)


def _filled(template: str, words: dict[str, str]) -> str:
    text = resources.files("worker.cli").joinpath("scaffold", template).read_text(encoding="utf-8")
    return Template(text).substitute(words)
