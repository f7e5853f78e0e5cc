"""`hirewire audit archive`: the oldest records into a file, and out of the database."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from config.settings import Settings
from connectors.sdk.model import Json
from connectors.sdk.text import instant
from worker.anchors import build_sealer, checkpoint_path, verifying_keys
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, writing
from worker.cli.failures import UsageError, refusing
from worker.cli.output import document, hint, line
from worker.cli.principal import TokenFileOption, WhyOption, principal_or_user, reason_given
from worker.domain.operator import Role
from worker.storage.archive import Archived, ArchiveError, Archiver
from worker.storage.clock import clock
from worker.storage.seal import SealError
from worker.storage.store import SqlStore
from worker.storage.verify import in_short_reads

_DAY_S = 86_400.0


def archive(  # noqa: PLR0913 - one parameter for each option
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where archives are kept, for good.")],
    why: WhyOption,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="What was sealed before: 2026-01-31, or RFC 3339.")
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Instead: all but these; default retention.audit_days."),
    ] = None,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move the oldest part of the audit into a file that proves itself, and drop it from the database.

    Whole segments, up to a checkpoint. The file is written and read again, a checkpoint vouches for it, and
    only then the records go. Safe to interrupt: the next archive drops what this one left. Needs the database
    role that owns the tables, and an admin's token where operators exist.

    Example: hirewire audit archive --keep-days 365 --to /srv/hirewire/archives --why "a year is over"
    """
    reason, settings = reason_given(why), settings_of(config)
    with writing(settings) as engine, reading(settings) as reader, refusing(ArchiveError, SealError):
        store = SqlStore(engine, settings.engine.shards)
        by = principal_or_user(store, "audit:archive", Role.ADMIN, token_file)
        with reader.connect() as connection:
            moment = _moment(settings, until, keep_days, clock(connection))
        sealer, keys = build_sealer(settings, store), verifying_keys(settings)
        archiver = Archiver(engine, in_short_reads(reader), store, sealer, checkpoint_path(settings), keys)
        done = archiver.run(to, moment, by.actor, reason)
    if as_json:
        document(_as_json(done))
    else:
        _tell(done)


def _moment(settings: Settings, until: str | None, keep_days: int | None, now: float) -> float:
    """At least a day stays: what `hirewire status` and the brake's alarm tell of is younger."""
    days = keep_days if keep_days is not None or until is not None else settings.retention.audit_days
    if (until is None) == (days is None):
        raise UsageError("say --until DATE or --keep-days N, one of them, or set retention.audit_days")
    moment = now - days * _DAY_S if days is not None else _parsed(until or "")
    if moment > now - _DAY_S:
        raise UsageError("--until must lie a day back or more: the newest day of the audit stays")
    return moment


def _parsed(text: str) -> float:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC).timestamp()
    except ValueError:
        found = instant(text)
    if found is None:
        raise UsageError(f"--until: {text!r} is no date like 2026-01-31, nor RFC 3339")
    return found.timestamp()


def _tell(done: Archived) -> None:
    if done.file is None:
        line("no segment is that old: nothing was archived")
        if done.dropped:
            line(f"{done.dropped} records that an earlier archive has were dropped")
        return
    for part in done.parts:
        line(f"{part.stream}  {part.first} to {part.head.size}")
    line(f"{done.dropped} records are in {done.file}, up to checkpoint {done.checkpoint}, and were dropped")
    hint(f"keep the file for good, and its digest elsewhere: sha256 {done.sha256}")


def _as_json(done: Archived) -> Json:
    streams: dict[str, Json] = {part.stream: [part.first, part.head.size] for part in done.parts}
    return {
        "file": str(done.file) if done.file is not None else None,
        "sha256": done.sha256 or None,
        "checkpoint": done.checkpoint,
        "streams": streams,
        "dropped": done.dropped,
    }
