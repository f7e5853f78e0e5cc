"""The closed vocabulary: what HR may assert, in which shape."""

from __future__ import annotations

import pytest

from connectors.sdk.model import Json
from worker.domain.attributes import VOCABULARY, covers, known, problem


@pytest.mark.parametrize("name", sorted(VOCABULARY))
def test_null_clears_every_attribute(name: str) -> None:
    assert problem(name, None) is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("given_name", 7, "must be a string"),
        ("given_name", ["Mira"], "must be a string"),
        ("active", "true", "must be true or false"),
        ("active", 1, "must be true or false"),
        ("groups", "staff", "must be a list of non-empty strings"),
        ("groups", ["staff", ""], "must be a list of non-empty strings"),
        ("groups", ["staff", 7], "must be a list of non-empty strings"),
        ("start_date", "31.01.2026", "must be a date like 2026-01-31"),
        ("start_date", "2026-02-30", "must be a date like 2026-01-31"),
        ("start_date", "20260131", "must be a date like 2026-01-31"),
        ("end_date", "2026-W05-6", "must be a date like 2026-01-31"),
        ("end_date", 20260131, "must be a date like 2026-01-31"),
    ],
)
def test_a_value_of_the_wrong_type_is_told(name: str, value: Json, words: str) -> None:
    assert problem(name, value) == words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("given_name", ""),
        ("active", False),
        ("groups", []),
        ("groups", ["staff"]),
        ("start_date", "2026-01-31"),
        ("custom.badge", {"any": ["json", 1, None]}),
    ],
)
def test_a_value_of_the_right_type_passes(name: str, value: Json) -> None:
    assert problem(name, value) is None


@pytest.mark.parametrize(
    ("name", "close"), [("givenname", "given_name"), ("e_mail", "email"), ("departement", "department")]
)
def test_a_name_outside_the_vocabulary_is_told_with_the_one_that_was_meant(name: str, close: str) -> None:
    assert problem(name, "x") == f"is not an attribute, did you mean {close!r}?"


@pytest.mark.parametrize("name", ["", "xyzzy", "custom", "custom.", "custom.9", "custom.a-b", "custom.a.b"])
def test_a_name_that_resembles_nothing_is_no_attribute(name: str) -> None:
    assert not known(name)
    assert (problem(name, "x") or "").startswith("is not an attribute")


def test_authority_over_custom_names_is_given_one_by_one_or_for_all() -> None:
    assert covers(["custom.*"], "custom.badge")
    assert covers(["custom.badge"], "custom.badge")
    assert not covers(["custom.badge"], "custom.desk")
    assert not covers(["custom.*"], "email")
    assert covers(["email"], "email")
