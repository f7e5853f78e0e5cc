"""HR files in tests of the engine: written, staged as `hirewire import` does, and carried out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.worker.engine.crowd import user_name
from tests.worker.engine.rig import Rig
from worker.cli.file_reading import How, digest_of, holds_rows, read_file
from worker.domain.file_rows import moment
from worker.domain.operator import Principal
from worker.domain.strict_json import Limits
from worker.engine.import_ports import Staged
from worker.engine.rows import Run
from worker.engine.staging import Bad, File, Staging
from worker.intake import build_doors

TOM = Principal("cli:tom")
JANUARY = 1_768_435_200.0  # 2026-01-15
_DAY = 86_400.0


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*rows[0]])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def person(number: int, **more: str) -> dict[str, str]:
    """A row as the crowd's people are."""
    return {
        "subject": f"E{number}",
        "user_name": user_name(number),
        "given_name": f"Given{number}",
        "family_name": f"Number{number}",
        "email": f"{user_name(number)}@example.com",
        "active": "yes",
        **more,
    }


def staging(rig: Rig) -> Staging:
    return Staging(rig.runtime.store, rig.signals, 900.0, 0.2)


def staged(
    rig: Rig,
    folder: Path,
    text: str,
    day: int = 0,
    name: str = "staff.csv",
    *,
    complete: bool = False,
    forced: bool = False,
) -> tuple[Run, list[Bad]]:
    """The run that a worker may judge, and the refused rows."""
    path, source = folder / name, rig.settings.sources["hr"]
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    as_of = JANUARY + day * _DAY
    how = How(path, "hr", source, {}, moment(as_of), Limits())
    rows = holds_rows(how)
    file = File("hr", name, digest_of(path, {"complete": complete}), as_of, rows, complete, forced)
    desk, doors = staging(rig), build_doors(rig.settings, rig.runtime.store, rig.signals)
    run = desk.begin(file, TOM, "the monthly list")
    found = [one.what for one in read_file(how, doors.rows if rows else doors.events, rows=rows)]
    taken = [one for one in found if isinstance(one, Staged)]
    bad = desk.add(run.id, taken, [one for one in found if isinstance(one, Bad)])
    return desk.finish(run.id), bad
