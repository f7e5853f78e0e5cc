"""`hirewire api`: the HTTP interface, for HR systems and for operators. Several may run beside each other."""

from __future__ import annotations

from contextlib import closing

from typer.core import TyperCommand

from worker.api.app import build
from worker.api.parts import open_parts
from worker.api.server import serve
from worker.celery_app import create
from worker.cli.common import ConfigOption, reaching, require_database, single
from worker.cli.wiring import own_logs


def command() -> TyperCommand:
    return single(api, "api")


def api(config: ConfigOption = None) -> None:
    """Serve the HTTP interface in the foreground until SIGTERM; requests under way are finished first.

    Where it listens is `api.host` and `api.port`. Exit code 1 where it cannot listen there.

    Example: hirewire api
    """
    settings = reaching(config)
    own_logs(settings)
    require_database(settings)
    with closing(open_parts(settings, create(settings))) as parts:
        serve(build(settings, parts), settings.api)
