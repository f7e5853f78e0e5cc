"""Lines of any file, in memory that the limit bounds."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from worker.cli.lines import lines

LIMIT = 10
PIECES = st.lists(st.binary(max_size=3 * LIMIT).map(lambda raw: raw.replace(b"\n", b" ")), max_size=20)


@given(pieces=PIECES, ending=st.sampled_from([b"\n", b"\r\n"]), last=st.booleans())
def test_every_line_comes_with_its_number_and_is_whole_or_marked_as_too_long(
    pieces: list[bytes], ending: bytes, last: bool
) -> None:
    content = ending.join(pieces) + (ending if last else b"")
    read = {item.number: item for item in lines(io.BytesIO(content), LIMIT)}
    for number, line in enumerate(content.split(b"\n"), start=1):
        wanted = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
        found = read.pop(number, None)
        if found is None:
            assert not wanted
        elif not found.too_long:
            assert found.raw == wanted
        else:
            assert len(line) > LIMIT
            assert len(found.raw) > LIMIT
    assert read == {}


def test_a_line_over_the_limit_is_cut_and_never_kept_whole() -> None:
    class Counting(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            piece = super().readline(size)
            self.longest = max(self.longest, len(piece))
            return piece

    stream = Counting(b"x" * 1_000_000 + b"\nshort\n")
    found = list(lines(stream, LIMIT))
    assert [(item.number, len(item.raw), item.too_long) for item in found] == [(1, 11, True), (2, 5, False)]
    assert stream.longest == LIMIT + 2


def test_a_line_of_exactly_the_limit_is_whole() -> None:
    (found,) = lines(io.BytesIO(b"x" * LIMIT + b"\r\n"), LIMIT)
    assert (found.raw, found.too_long) == (b"x" * LIMIT, False)


def test_progress_counts_every_byte() -> None:
    content = b"a\n\n" + b"y" * 50 + b"\nb"
    assert [item.read for item in lines(io.BytesIO(content), LIMIT)] == [2, 54, 55]
