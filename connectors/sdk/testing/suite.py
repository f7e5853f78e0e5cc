"""The checks there are, which of them a style must pass, and running one of them."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace

from connectors.sdk.contract import ConnectorConfig, Credential, Descriptor
from connectors.sdk.model import Json
from connectors.sdk.registry import Style
from connectors.sdk.testing import checks
from connectors.sdk.testing.bench import Bench, Held
from connectors.sdk.testing.check import Check
from connectors.sdk.testing.samples import Document, Samples
from connectors.sdk.testing.server import ReferenceServer
from connectors.sdk.testing.tap import Tap

UNUSED = "http://127.0.0.1:9"


def every_check() -> tuple[Check, ...]:
    """All checks of the kit, group by group, each in the order of its file."""
    modules = pkgutil.walk_packages(checks.__path__, f"{checks.__name__}.")
    loaded = (importlib.import_module(name) for name in sorted(module.name for module in modules))
    return tuple(item for module in loaded for item in vars(module).values() if isinstance(item, Check))


def applicable(
    style: Style, server: type[ReferenceServer], document: Document | None = None
) -> tuple[Check, ...]:
    """The checks that this style, with this server's options, must pass."""
    samples = Samples(descriptor_of(style, server.options), server.samples, document)
    return tuple(item for item in every_check() if item.needs(samples))


def descriptor_of(style: Style, options: Mapping[str, Json]) -> Descriptor:
    """What the style can do with these options: asked of a connector, since options may decide."""
    config = ConnectorConfig("bench", UNUSED, _unused, options=options)
    return style(config).descriptor


@contextlib.contextmanager
def bench_of(style: Style, server: ReferenceServer, document: Document | None = None) -> Iterator[Bench]:
    """A bench for many checks in a row (see `run`), on a server that was entered."""
    with Tap(server.base_url) as tap:
        yield Bench(style, server, tap, descriptor_of(style, server.options), Held(), document)


def run(check: Check, bench: Bench) -> None:
    """One check on a bench as new. Raises `AssertionError` where the promise is broken."""
    bench.tap.calm()
    try:
        check.run(replace(bench, held=Held(), seeded={}))
    finally:
        bench.tap.calm()


def fault_of(bench: Bench) -> str | None:
    """Why nothing can be proven with this reference server; None where it holds what it is given."""
    (remote_id,) = bench.seed()
    stored, person = bench.stored(remote_id), bench.person(1)
    wrong = {
        name: stored.get(name) for name in person if bench.shown(name) and stored.get(name) != person[name]
    }
    if not wrong:
        return None
    return f"the reference server was given {person}, and `rows` shows {wrong}: see ReferenceServer.rows"


def _unused() -> Credential:
    return Credential("bearer", "unused")
