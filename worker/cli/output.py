"""How answers look: tables and lines for people, one JSON document for programs.

On a terminal the tables fit its width and wrap between words; where it is too narrow for that, each row
is a paragraph. In a pipe each row is one line without colour (COLUMNS gives a width there too). Text from
outside is shown on one line without control characters, and never as markup.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.views.moments import moment as moment  # noqa: PLC0414 - the commands have it from here

_UNBOUNDED = 10_000
_CELL = 400
_WORD = 30
_GAP = 3
_INDENT = 2
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
NONE = "-"


def console() -> Console:
    return _console(to_stderr=False)


def aside() -> Console:
    """Standard error: progress, hints, what does not belong to the answer."""
    return _console(to_stderr=True)


def _console(*, to_stderr: bool) -> Console:
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _UNBOUNDED
    return Console(stderr=to_stderr, width=width, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True, slots=True)
class Column:
    """`right` for numbers; `whole` is never broken over lines, if the width allows it at all."""

    title: str
    right: bool = False
    whole: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> RenderableType:
    """The rows under their titles; as paragraphs where the width would break words in the middle."""
    cells = [[cell(value) for value in row] for row in rows]
    room = console().width
    return _drawn(columns, cells) if _least(columns, cells) <= room else _paragraphs(columns, cells, room)


def _drawn(columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, show_edge=False)
    for column in columns:
        drawn.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=column.whole,
        )
    for row in cells:
        drawn.add_row(*row)
    return drawn


def _least(columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> int:
    """The width at which every word is whole."""
    widths = [_longest(column, [row[place] for row in cells]) for place, column in enumerate(columns)]
    return sum(widths) + _GAP * (len(widths) - 1)


def _longest(column: Column, cells: Sequence[Text]) -> int:
    """The longest word of a column. A very long one, as an address is, may be broken."""
    whole = max((text.cell_len for text in cells), default=0) if column.whole else 0
    words = (word for text in (column.title, *(text.plain for text in cells)) for word in text.split())
    return max(whole, *(min(cell_len(word), _WORD) for word in words))


def _paragraphs(columns: Sequence[Column], cells: Sequence[Sequence[Text]], room: int) -> Group:
    """Each row: its first cell, and below it the others, each with its title."""
    said: list[RenderableType] = []
    for first, *others in cells:
        pairs = [
            Text.assemble((column.title, "dim"), " ", text)
            for column, text in zip(columns[1:], others, strict=True)
        ]
        said += [first, *(Padding.indent(text, _INDENT) for text in _filled(pairs, room - _INDENT))]
    return Group(*said)


def _filled(pairs: Iterable[Text], room: int) -> list[Text]:
    """As many of them on each line as it has room for."""
    filled: list[Text] = []
    for pair in pairs:
        if filled and filled[-1].cell_len + _INDENT + pair.cell_len <= room:
            filled[-1] = Text.assemble(filled[-1], " " * _INDENT, pair)
        else:
            filled.append(pair)
    return filled


def cell(value: object) -> Text:
    """Anything as a short, harmless text."""
    return Text(NONE if value is None else one_line(str(value), _CELL))


def show(thing: RenderableType) -> None:
    console().print(thing)


def line(text: str) -> None:
    """One line of the answer; wrapped only by the terminal itself."""
    console().print(Text(text), soft_wrap=True)


def hint(text: str) -> None:
    aside().print(Text(text), soft_wrap=True)


def document(value: Json) -> None:
    """The one JSON document of a `--json` answer."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def age(seconds: float | None) -> str:
    """`0.4s`, `12s`, `5m`, `3h`, `2d`."""
    if seconds is None:
        return NONE
    for unit, size in (("d", _DAY_S), ("h", _HOUR_S), ("m", _MINUTE_S)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.1f}s" if seconds < 10 else f"{seconds:.0f}s"  # noqa: PLR2004 - two digits are enough


def nearest(wrong: str, known: Sequence[str]) -> str:
    """` (did you mean X?)` where something is near."""
    near = get_close_matches(wrong, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
