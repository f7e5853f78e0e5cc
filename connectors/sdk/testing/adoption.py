"""One line in a test file adopts the whole suite: `test_conformance = conformance("acme", AcmeServer)`.

Each check is one pytest item, `test_conformance[acme-patch-only_named_fields]`, marked `conformance`. The
server is entered with the first item that runs and left at the end of the run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from connectors.sdk.registry import Style, style_named
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import Check
from connectors.sdk.testing.samples import Document
from connectors.sdk.testing.server import ReferenceServer
from connectors.sdk.testing.suite import applicable, bench_of, every_check, fault_of, run

WAIVED: Final = "waived: "
NO_WAIVERS: Final[Mapping[str, str]] = {}


class AdoptionError(ValueError):
    """The line that adopts the suite cannot be meant so; the message says what to change."""


def conformance(
    style: str | Style,
    server: type[ReferenceServer] | None,
    *,
    waive: Mapping[str, str] = NO_WAIVERS,
    document: Document | None = None,
    name: str | None = None,
) -> Callable[..., None]:
    """The suite as a test function. Raises `AdoptionError`, or `StyleError` for an unknown style.

    `waive` is check id -> reason. `document` is the table of the API's document as its reader
    wrote it down (see `contract-fields_are_those_of_the_document`). `name` is what the items are called
    by, where one style is adopted twice.
    """
    chosen = style_named(style) if isinstance(style, str) else style
    checks = every_check() if server is None else applicable(chosen, server, document)
    _require_sense(waive, checks)
    label = name or chosen.descriptor.style
    items = [pytest.param(item, id=f"{label}-{item.id}") for item in checks]
    adopted = _Adoption(chosen, server, document, label)

    @pytest.mark.conformance
    @pytest.mark.parametrize("check", items)
    def test_conformance(
        check: Check, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
    ) -> None:
        adopted.require_server()
        reason = waive.get(check.id)
        if reason is not None:
            record_property("waiver", f"{label}-{check.id}: {reason}")
            pytest.skip(f"{WAIVED}{reason}")
        run(check, adopted.bench(request.session))

    return test_conformance


class _Adoption:
    """A style and its server, which runs from the first check to the end of the run."""

    def __init__(
        self,
        style: Style,
        server: type[ReferenceServer] | None,
        document: Document | None,
        label: str,
    ) -> None:
        self._style = style
        self._server = server
        self._document = document
        self._label = label
        self._bench: Bench | None = None
        self._fault: str | None = None

    def require_server(self) -> None:
        """Fails the test where there is none."""
        if self._server is None:
            pytest.fail(
                f"the connector {self._label!r} has no reference server: give `conformance` a class derived"
                " from connectors.sdk.testing.ReferenceServer, which behaves as the API was observed to",
                pytrace=False,
            )

    def bench(self, session: pytest.Session) -> Bench:
        """The bench on the server, started with the first call. Fails where it cannot be relied on."""
        if self._bench is None:
            self._bench = self._started(session)
            self._fault = fault_of(self._bench)
        if self._fault is not None:
            pytest.fail(self._fault, pytrace=False)
        return self._bench

    def _started(self, session: pytest.Session) -> Bench:
        assert self._server is not None  # noqa: S101  # `require_server` was called
        stack = contextlib.ExitStack()
        session.addfinalizer(stack.close)
        server = stack.enter_context(self._server())
        return stack.enter_context(bench_of(self._style, server, self._document))


def _require_sense(waive: Mapping[str, str], checks: tuple[Check, ...]) -> None:
    known = {item.id for item in checks}
    for check_id, reason in waive.items():
        if check_id not in known:
            raise AdoptionError(f"waive: {check_id!r} is no check of this connector")
        if not reason.strip():
            raise AdoptionError(f"waive: {check_id!r} is waived without a reason")
