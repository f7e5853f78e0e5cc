"""Adopting the suite: nobody is forgotten, and what is waived is waived on purpose."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.awx import AwxConnector
from connectors.sdk.model import Json
from connectors.sdk.registry import StyleError, styles
from connectors.sdk.testing import AdoptionError, conformance
from connectors.sdk.testing.suite import applicable, bench_of, every_check, fault_of
from tests import conformance as adopted
from tests.conformance.servers import AwxServer, StaffMeServer

ROOT = Path(__file__).resolve().parents[2]
AT_LEAST = 60  # checks of each connector
ALONE = """
from connectors.sdk.testing import conformance
from tests.conformance.servers import AwxServer
test_without = conformance("awx", None)
test_with = conformance("awx", AwxServer, waive={"contract-says_what_it_is": "the sea is rough"})
"""


def adoptions() -> Iterator[Callable[..., None]]:
    """Every test function of this folder that `conformance` made."""
    for module in pkgutil.iter_modules(adopted.__path__):
        if module.name.startswith("test_"):
            loaded = importlib.import_module(f"{adopted.__name__}.{module.name}")
            yield from (value for name, value in vars(loaded).items() if name.startswith("test_conformance"))


def items_of(adoption: Callable[..., None]) -> list[str]:
    """The ids of an adoption's items."""
    marks: list[pytest.Mark] = getattr(adoption, "pytestmark")  # noqa: B009  # no attribute mypy knows of
    (parameters,) = (mark for mark in marks if mark.name == "parametrize")
    return [item.id for item in parameters.args[1]]


def test_every_registered_style_is_adopted() -> None:
    names = {items_of(adoption)[0].split("-")[0] for adoption in adoptions()}
    assert set(styles()) <= names


@pytest.mark.parametrize("adoption", list(adoptions()))
def test_a_connector_is_held_against_at_least_sixty_checks(adoption: Callable[..., None]) -> None:
    assert len(items_of(adoption)) >= AT_LEAST


def test_each_check_has_an_id_of_its_own_and_a_promise() -> None:
    checks = every_check()
    assert len({item.id for item in checks}) == len(checks)
    assert len({item.promise for item in checks}) == len(checks)


def test_which_checks_run_follows_from_what_the_style_can_do() -> None:
    everybody = {item.id for item in applicable(AwxConnector, AwxServer)}
    owner = {item.id for item in applicable(styles()["staff_users"], StaffMeServer)}
    assert {"safety-odd_ids_are_not_deleted", "safety-threads_are_kept_apart"} <= everybody - owner
    assert "contract-active_field_is_mapped" not in everybody


def test_an_unknown_style_a_waiver_of_nothing_and_one_without_a_reason_are_refused() -> None:
    with pytest.raises(StyleError, match="awks"):
        conformance("awks", AwxServer)
    with pytest.raises(AdoptionError, match="no-such_check"):
        conformance("awx", AwxServer, waive={"no-such_check": "because"})
    with pytest.raises(AdoptionError, match="without a reason"):
        conformance("awx", AwxServer, waive={"contract-says_what_it_is": " "})


def test_a_server_that_holds_something_else_fails_with_what_it_holds() -> None:
    class Forgetful(AwxServer):
        def shown(self, row: Mapping[str, Any]) -> Mapping[str, Json]:
            return {**super().shown(row), "first_name": "Somebody"}

    with bench_of(styles()["awx"], Forgetful()) as bench:
        fault = fault_of(bench)
    assert fault is not None
    assert "'first_name': 'Somebody'" in fault


def test_nothing_but_a_test_needs_the_kit() -> None:
    program = (
        "import pkgutil, importlib, sys, connectors.sdk as sdk\n"
        "for module in pkgutil.iter_modules(sdk.__path__, 'connectors.sdk.'):\n"
        "    module.ispkg or importlib.import_module(module.name)\n"
        "print(*{'pytest', 'hypothesis', 'connectors.sdk.testing'} & set(sys.modules))"
    )
    run = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == ""


def test_a_run_prints_its_waivers_and_fails_a_style_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "test_alone.py"
    file.write_text(ALONE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "1"]
    command += ["--rootdir", str(tmp_path), "-p", "connectors.sdk.testing.plugin", str(file)]
    run = subprocess.run(  # noqa: S603 - our own words
        [*command, "-k", "says_what_it_is"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "awx-contract-says_what_it_is: the sea is rough" in run.stdout
    assert "1 failed, 1 skipped" in run.stdout
    assert "the connector 'awx' has no reference server" in run.stdout
