"""Styles are found here and in other distributions, and named in one place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.awx import AwxConnector
from connectors.django_admin import DjangoAdminConnector
from connectors.sdk.contract import ConnectorConfig, Credential
from connectors.sdk.registry import StyleError, build, style_named, styles


def config() -> ConnectorConfig:
    return ConnectorConfig("here", "http://127.0.0.1:9", lambda: Credential("bearer", "x"))


def distribution(folder: Path, target: str, code: str) -> None:
    """An installed distribution with one entry point."""
    name = f"hirewire_{folder.name}"
    (folder / f"{name}_style.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hirewire.connectors]\nmine = {name}_style:{target}\n")


def test_every_style_of_this_package_is_found() -> None:
    found = styles()
    assert found["awx"].descriptor is AwxConnector.descriptor
    assert found["django_admin"].descriptor is DjangoAdminConnector.descriptor
    assert list(found) == sorted(found)


def test_a_connector_is_built_by_the_name_of_its_style() -> None:
    assert isinstance(build("awx", config()), AwxConnector)
    assert build("django_admin", config()).descriptor.style == "django_admin"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("awxx", "unknown connector 'awxx': did you mean 'awx'?"),
        ("djangoadmin", "did you mean 'django_admin'?"),
        ("zzz", "there are authentik, awx, django_admin"),
    ],
)
def test_an_unknown_style_is_answered_with_the_nearest(name: str, words: str) -> None:
    with pytest.raises(StyleError) as raised:
        build(name, config())
    assert words in str(raised.value)


def test_another_distribution_can_bring_a_style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import dataclasses\n"
        "from connectors.awx import AwxConnector\n"
        "class Mine(AwxConnector):\n"
        "    descriptor = dataclasses.replace(AwxConnector.descriptor, style='mine')\n"
    )
    distribution(tmp_path, "Mine", code)
    monkeypatch.syspath_prepend(tmp_path)
    assert build("mine", config()).descriptor.style == "mine"
    assert style_named("mine").descriptor.style == "mine"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ImportError('no such driver')\n", "cannot be loaded (ImportError('no such driver'))"),
        ("Mine = object\n", "has no descriptor"),
        ("from connectors.awx import AwxConnector as Mine\n", "the style 'awx' is defined twice"),
    ],
)
def test_a_broken_style_of_another_distribution_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    distribution(tmp_path, "Mine", code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StyleError) as raised:
        styles()
    assert words in str(raised.value)
    assert tmp_path.name in str(raised.value)


def imported_by(module: str, then: str = "") -> set[str]:
    code = f"import sys, {module}\n{then}\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own interpreter and code
    return set(result.stdout.split())


def test_finding_styles_imports_nothing_of_the_worker() -> None:
    modules = imported_by("connectors.sdk.registry", "connectors.sdk.registry.styles()")
    assert "connectors.awx" in modules
    assert not [name for name in modules if name.split(".")[0] in {"worker", "config"}]


@pytest.mark.parametrize("module", ["contract", "model", "fields", "outcomes"])
def test_what_the_engine_reads_imports_no_http(module: str) -> None:
    assert not {"requests", "urllib3", "tenacity"} & imported_by(f"connectors.sdk.{module}")
