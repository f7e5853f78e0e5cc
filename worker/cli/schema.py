"""`hirewire schema`: what a sender can check before it sends, made from the rules of the intake itself."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from config.settings import Settings, Source
from worker.cli.common import ConfigOption, JsonOption, group, settings_of
from worker.cli.failures import UsageError
from worker.cli.output import document, nearest
from worker.domain.event_schema import event_schema
from worker.domain.strict_json import Limits


def command() -> TyperGroup:
    return group("schema", schema, {"event": event})


def schema() -> None:
    """Show the JSON Schema of what Hirewire takes."""


def event(
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this source; needed where several are configured.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - a schema is JSON with and without it
) -> None:
    """Print the JSON Schema (draft 2020-12) of an event, as a source may send it.

    Types, attributes, order and limits are those of the configuration. The schema is JSON with and
    without --json.

    Example: hirewire schema event --source hr > event.schema.json
    """
    settings = settings_of(config)
    name, found = _chosen(settings, source)
    limits = settings.intake
    document(
        event_schema(
            name,
            found.uri,
            found,
            Limits(limits.max_event_bytes, limits.max_depth, limits.max_keys, limits.max_string),
            mapped=bool(found.mapping),
        )
    )


def _chosen(settings: Settings, name: str | None) -> tuple[str, Source]:
    """The source of this name, or the only one. Raises UsageError with the names that there are."""
    known = sorted(settings.sources)
    if not known:
        raise UsageError("no source is configured: add [sources.NAME] to the configuration")
    if name is None and len(known) > 1:
        raise UsageError(f"say which source: --source {' or --source '.join(known)}")
    wanted = known[0] if name is None else name
    if wanted not in settings.sources:
        raise UsageError(f"no source is called {wanted!r}{nearest(wanted, known)}")
    return wanted, settings.sources[wanted]
