"""Figures that a run writes into a document."""

from __future__ import annotations

import pytest

from tests.benchmarks.written import BEGIN, END, FOLDER, between, markdown


def test_only_what_stands_between_the_marks_is_written_anew() -> None:
    text = f"# Title\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    once = between(text, "new")
    assert once == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\nMore.\n"
    assert between(once, "new") == once


def test_a_document_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="no place"):
        between("# Title\n", "new")


def test_a_cell_keeps_its_table_whole() -> None:
    assert markdown(["a", "b"], [["x|y", "z"]]) == "| a | b |\n| --- | --- |\n| x/y | z |"


@pytest.mark.parametrize("name", ["README.md", "profile.md", "../scaling.md"])
def test_each_document_has_its_place(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert between(text, "x").count("\nx\n") == 1
