"""Writing a configuration and reading what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from config.settings import ConfigurationError, Settings, load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CANARY = "canary-sEcReT-4711"
TARGET = f"""
[targets.awx_prod]
connector = "awx"
base_url = "https://awx.example.com"
credential = {{ scheme = "bearer", secret = "{CANARY}" }}
"""


class Configure(Protocol):
    def __call__(self, toml: str = "", environ: Mapping[str, str] = ...) -> Settings: ...


class Problems(Protocol):
    def __call__(self, toml: str = "", environ: Mapping[str, str] = ...) -> list[str]: ...


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Load this TOML text, with nothing but these variables."""

    def configured(toml: str = "", environ: Mapping[str, str] = {}) -> Settings:
        file = tmp_path / "hirewire.toml"
        file.write_text(toml, encoding="utf-8")
        return load(file, environ)

    return configured


@pytest.fixture
def problems(configure: Configure) -> Problems:
    """The problems of a configuration that must not load; none of them shows the canary secret."""

    def refused(toml: str = "", environ: Mapping[str, str] = {}) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            configure(toml, environ)
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert "\n".join(caught.value.problems) == str(caught.value)
        return list(caught.value.problems)

    return refused
