"""Lines of files of any size, in bounded memory: a line over the limit comes cut, and marked as such."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1; `read` is how many bytes of the file were read up to its end.

    `raw` is without line end and surrounding blanks; of a line that is `too_long` only its first bytes.
    """

    number: int
    raw: bytes
    read: int
    too_long: bool = False


def lines(stream: IO[bytes], limit: int) -> Iterator[Line]:
    """Every line that is not blank. At most `limit` + 2 bytes of one line are kept."""
    most = limit + 2  # a line end may follow the longest line
    number = read = 0
    while piece := stream.readline(most):
        number += 1
        read += len(piece)
        text = piece.removeprefix(_BOM).strip() if number == 1 else piece.strip()
        too_long = len(text) > limit
        while not piece.endswith(b"\n") and (piece := stream.readline(most)):
            read += len(piece)
            too_long = too_long or bool(piece.strip())
        if text:
            yield Line(number, text[: limit + 1].ljust(limit + 1) if too_long else text, read, too_long)
