"""`hirewire audit verify`: four answers, each with an exit code of its own, from a database or an export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, NoReturn

import sqlalchemy as sa
import typer

from config.settings import ConfigurationError, SecretError, Settings
from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.anchors import checkpoint_path, public_keys, verifying_keys
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of
from worker.cli.failures import NotReadyError, UsageError
from worker.cli.output import document, hint, line
from worker.databases import open_writer
from worker.storage.anchoring import Report, Verdict, audited, book_of, read_book, report
from worker.storage.archived import chained_archives, with_archives
from worker.storage.checkpoints import Checkpoint
from worker.storage.clock import clock
from worker.storage.export import ExportError, carried, read_head, verified
from worker.storage.floors import all_floors
from worker.storage.heartbeats import Mark, mark
from worker.storage.signing import SigningKeyError
from worker.storage.verify import in_short_reads

CODES: Final = {Verdict.WHOLE: 0, Verdict.TAMPERED: 1, Verdict.UNANCHORED: 2}
UNREADABLE: Final = 3
_UNREADABLE = (ConfigurationError, SecretError, SigningKeyError, NotReadyError, ExportError)


def verify(  # noqa: PLR0913 - one parameter for each option
    file: Annotated[
        Path | None, typer.Option(metavar="EXPORT", help="An export in JSON Lines, instead of the database.")
    ] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --file: the whole checkpoint file.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --file: the public key of the checkpoints.")
    ] = None,
    archives: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Archives: they and the database as one chain.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk every chain from its first record, or its floor, to its head, and compare it with the checkpoints.

    Exit code 0: whole. 1: tampered with, and where. 2: not anchored, so that a cut tail or a chain made anew
    cannot be excluded, and why. 3: the database or a file cannot be read.

    With --file neither a database nor a configuration is needed. What was archived is looked at with
    --archives only; without it the chain begins where the checkpoints say that an archive ends.

    Example: hirewire audit verify --file audit.jsonl --key audit_key.pub
    """
    if file is None and (checkpoints is not None or key is not None):
        raise UsageError("--checkpoints and --key go with --file: otherwise the configuration has them")
    if file is not None and archives is not None:
        raise UsageError("--archives goes with the database, --file takes its place: choose one")
    with _readable():
        found = _of_database(config, archives) if file is None else _of_export(file, checkpoints, key)
    if as_json:
        document(_as_json(found))
    else:
        _tell(found)
    raise typer.Exit(CODES[found.verdict])


@contextmanager
def _readable() -> Iterator[None]:
    """What keeps us from looking is told, with an exit code that says nothing about the audit."""
    try:
        yield
    except ConfigurationError as error:
        _unreadable("\n".join(error.problems))
    except _UNREADABLE as error:
        _unreadable(str(error))
    except (sa.exc.DBAPIError, OSError, UnicodeDecodeError) as error:
        _unreadable(one_line(str(getattr(error, "orig", error))))


def _unreadable(why: str) -> NoReturn:
    for said in why.splitlines():
        hint(f"hirewire: cannot be read: {said}")
    raise typer.Exit(UNREADABLE)


def _of_database(config: Path | None, archives: Path | None) -> Report:
    settings = settings_of(config)
    with reading(settings) as engine:

        def now() -> float:
            with engine.connect() as connection:
                return clock(connection)

        path, keys = checkpoint_path(settings), verifying_keys(settings)
        ask = in_short_reads(engine)
        found = audited(ask, path, keys, now, settings.audit.seal_every_s)
        if archives is not None:
            found = with_archives(found, chained_archives(all_floors(ask), archives))
    if found.verdict is Verdict.WHOLE:
        _mark(settings)
    return found


def _mark(settings: Settings) -> None:
    """For the metrics. Who may only read has verified it all the same."""
    engine = open_writer(settings)
    try:
        with suppress(sa.exc.DBAPIError), engine.begin() as connection:
            mark(connection, Mark.VERIFIED)
    finally:
        engine.dispose()


def _of_export(file: Path, checkpoints: Path | None, key: Path | None) -> Report:
    """Nobody can say how fresh an export is: whatever no checkpoint covers is a gap."""
    keys = public_keys(key)
    with file.open(encoding="utf-8", newline="\n") as lines:
        export = read_head(lines.readline())
        book = read_book(checkpoints, keys) if checkpoints else book_of(carried(export), keys)
        found = verified(export, lines, book.sealed)
    told = report(book, found, list(found.unsealed))
    return Report(told.records, told.streams, told.breaks, told.gaps, (*export.notes, *told.notes), told.last)


def _tell(found: Report) -> None:
    for item in found.breaks:
        line(f"TAMPERED  {item.stream} at {item.seq}: {item.reason}")
    for gap in found.gaps:
        line(f"UNANCHORED  {gap}")
    for note in found.notes:
        line(f"note  {note}")
    said = f"{found.verdict.value}: {found.records} records in {found.streams} streams"
    line(said if found.last is None else f"{said}, checkpoint {found.last.number} of {found.last.at}")


def _as_json(found: Report) -> Json:
    """`ok`: nothing was changed as far as chains and checkpoints tell. `anchored`: and they tell it all."""
    breaks: list[Json] = [asdict(item) for item in found.breaks]
    return {
        "verdict": found.verdict.value,
        "ok": not breaks,
        "anchored": found.verdict is Verdict.WHOLE,
        "records": found.records,
        "streams": found.streams,
        "breaks": breaks,
        "gaps": list(found.gaps),
        "notes": list(found.notes),
        "checkpoint": _checkpoint(found.last),
    }


def _checkpoint(last: Checkpoint | None) -> Json:
    return None if last is None else {"number": last.number, "at": last.at, "sha256": last.digest}
