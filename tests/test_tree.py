"""What no file of this project may hold: unfinished work, addresses of one machine, endless source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ("config", "connectors", "worker")
LONGEST = 400
LEFT_OUT = {"var", "build", "dist", "__pycache__", "node_modules", "static"}
TEXT = {
    ".py",
    ".toml",
    ".md",
    ".lock",
    ".sh",
    ".txt",
    ".ini",
    ".mako",
    ".ndjson",
    ".json",
    ".yaml",
    ".yml",
    ".css",
    ".html",
}
BARE = {"Makefile", "LICENSE", "Dockerfile", "run"}

UNFINISHED = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX)\b|[N]otImplementedError|[p]ragma: no cover")
ADDRESS = re.compile(
    r"https?://\S+/simple\b|--(?:extra-)?index-url\s+\S|--find-links\s+\S|^\s*(?:index|find-links)\s*=",
    re.MULTILINE,
)
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|Users|work|workspace)/\w+")


def files() -> Iterator[Path]:
    for top in sorted(ROOT.iterdir()):
        if top.is_dir() and not top.name.startswith(".") and top.name not in LEFT_OUT:
            yield from (
                path for path in sorted(top.rglob("*")) if path.is_file() and not LEFT_OUT & {*path.parts}
            )
        elif top.is_file():
            yield top
    yield from (path for path in (ROOT / ".ci").rglob("*") if path.is_file())


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        if path.suffix in TEXT or path.name in BARE:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def found(pattern: re.Pattern[str]) -> list[str]:
    """`file:line: text` of each place."""
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in texts()
        for match in pattern.finditer(text)
    ]


def test_nothing_is_marked_as_unfinished() -> None:
    assert found(UNFINISHED) == []


def test_no_file_names_a_package_registry() -> None:
    assert found(ADDRESS) == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert found(MACHINE) == []


def test_every_locked_package_has_a_hash() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
        packages = [entry for entry in entries if not entry.startswith("#")]
        assert packages
        assert [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("folder", SOURCE)
def test_no_source_file_is_too_long_to_read(folder: str) -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")
    }
    assert lengths
    assert {str(path): length for path, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (UNFINISHED, "# TO" + "DO later"),
        (UNFINISHED, "raise NotImplemented" + "Error"),
        (ADDRESS, "--index-url" + " https://example.com"),
        (ADDRESS, "https://example.com/" + "simple"),
        (MACHINE, "open('/ho" + "me/anna/x')"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
