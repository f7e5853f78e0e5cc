"""Fixtures of the intake's tests: the HTTP interface on a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.worker.api.intake.serving import SOURCES, Served

Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path, sqlite_database_url: str) -> Iterator[Serve]:
    """An interface; `sources` are added to, or replace, the usual ones."""
    served: list[Served] = []

    def start(
        database: str = sqlite_database_url, sources: dict[str, Any] | None = None, **sections: Any
    ) -> Served:
        sections["api"] = {"port": 0, **sections.get("api", {})}
        usual = {"state_dir": str(tmp_path), "database": {"url": database}}
        chosen = {**SOURCES, **(sources or {})}
        served.append(Served(Settings.model_validate({**usual, "sources": chosen, **sections})))
        return served[-1]

    yield start
    for one in served:
        one.close()


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve()
