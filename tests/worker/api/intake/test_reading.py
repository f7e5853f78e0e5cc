"""Lines are the same however the network cuts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.api.reading import Line, Splitter

LIMIT = 12


def split(pieces: list[bytes]) -> list[Line]:
    splitter = Splitter(LIMIT)
    return [line for piece in pieces for line in splitter.feed(piece)] + [*splitter.end()]


@given(st.lists(st.text("ab \r\n", max_size=20).map(str.encode)))
def test_lines_are_those_of_the_whole_however_it_is_cut(pieces: list[bytes]) -> None:
    whole = [line.strip() for line in b"".join(pieces).split(b"\n")]
    assert split(pieces) == [Line(line, too_long=len(line) > LIMIT) for line in whole if line]


def test_of_a_line_without_end_no_more_than_its_beginning_is_kept() -> None:
    splitter = Splitter(LIMIT)
    for _ in range(1000):
        assert [*splitter.feed(b"x" * 1000)] == []
        assert len(splitter._rest) <= 6000
    assert [*splitter.feed(b"\nnext\n")] == [Line(b"x" * 4096, too_long=True), Line(b"next")]
