"""Results of any length, written row by row: as one JSON document, or as CSV."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping

from connectors.sdk.model import Json
from worker.storage.export import harmless


def write_json(run: int, name: str, rows: Iterable[Mapping[str, Json]]) -> None:
    """`{"run": …, NAME: […]}` with a row on each line."""
    sys.stdout.write(f'{{"run": {run}, "{name}": [')
    for place, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=False)
        sys.stdout.write(f"{',' if place else ''}\n  {text}")
    sys.stdout.write("\n]}\n")


def write_csv_line(cells: Iterable[object]) -> None:
    """No cell is taken for a formula by who opens the file."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([harmless(cell) for cell in cells])
    sys.stdout.write(buffer.getvalue())
