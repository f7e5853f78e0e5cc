"""`hirewire audit export`: the audit as a file, page by page, of any length."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from worker.anchors import checkpoint_path
from worker.cli.common import ConfigOption, reading, settings_of
from worker.cli.failures import UsageError
from worker.cli.moments import since as parsed_since
from worker.cli.output import hint
from worker.storage.anchoring import read_book
from worker.storage.clock import clock
from worker.storage.export import Extent, as_csv, as_jsonl, extent
from worker.storage.signing import Keys
from worker.storage.verify import in_short_reads


class Format(enum.StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def export(
    format_: Annotated[
        Format, typer.Option("--format", help="jsonl can be verified without a database; csv is for reading.")
    ] = Format.JSONL,
    stream: Annotated[
        str | None, typer.Option(metavar="STREAM", help="Only this one: intake, operators, target:NAME.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="30s, 15m, 2h, 7d, or RFC 3339: from there to the end.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead of standard output; readable by you only.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write the audit out, with the newest checkpoint. It holds personal data.

    `hirewire audit seal` right before it covers the newest records too.

    Example: hirewire audit export --since 30d --out audit.jsonl
    """
    settings = settings_of(config)
    with reading(settings) as engine:
        ask = in_short_reads(engine)
        with engine.connect() as connection:
            now = clock(connection)
        newest = read_book(checkpoint_path(settings), Keys()).last
        chosen = extent(ask, stream, None if since is None else parsed_since(since, now))
        lines = as_jsonl(ask, chosen, newest, now) if format_ is Format.JSONL else as_csv(ask, chosen)
        if out is None:
            sys.stdout.writelines(lines)
        else:
            _write(out, lines)
            hint(_summary(chosen, out))


def _write(out: Path, lines: Iterable[str]) -> None:
    """Whole or not at all: under another name until the last line is there."""
    part = out.with_name(f"{out.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        part.replace(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def _summary(chosen: Extent, out: Path) -> str:
    records = sum(part.head.size - part.first + 1 for part in chosen.parts)
    return f"{records} records of {len(chosen.parts)} streams in {out}"
