"""Mapping: never said, cleared and failed are three things; JMESPath knows one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from worker.domain.mapping import (
    ABSENT,
    Failure,
    Transforms,
    Wanted,
    compile_expression,
    compile_mapping,
    newest,
)
from worker.domain.strict_json import canonical

SAID: dict[str, Json] = {
    "user_name": "Mira",
    "email": None,
    "title": "",
    "active": False,
    "groups": ["staff", "crew"],
    "custom.badge": {"level": 7, "title": "Gold"},
    "custom.phones": [{"kind": "work", "title": "desk", "number": "1"}, {"kind": "home", "number": "2"}],
}


def evaluate(text: str, values: dict[str, Json] | None = None) -> Wanted:
    return compile_expression(text).evaluate(SAID if values is None else values)


@pytest.mark.parametrize(
    "text",
    [
        "given_name",
        "lower(given_name)",
        "join_present([user_name, family_name], ' ')",
        "custom.desk",
        "custom.desk.floor",
        "department && user_name",
        "manager == 'x'",
        "!locale",
        "{a: user_name, b: locale}",
        "given_name || family_name",
        "given_name | [0]",
    ],
)
def test_an_expression_over_an_attribute_that_hr_never_asserted_is_absent(text: str) -> None:
    assert evaluate(text) is ABSENT


@pytest.mark.parametrize("text", ["email", "lower(email)", "trim(email)", "upper(email)", "email || email"])
def test_null_only_where_hr_asserted_it(text: str) -> None:
    assert evaluate(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user_name || given_name", "Mira"),
        ("given_name || user_name", "Mira"),
        ("email || user_name", "Mira"),
        ("title || user_name", "Mira"),
        ("email || given_name", None),
        ("title || given_name", ""),
        ("active || given_name", False),
        ("given_name || email", None),
        ("given_name || title || user_name", "Mira"),
        ("lower(given_name || user_name)", "mira"),
        ("join_present([given_name || user_name, title], '-')", "Mira"),
    ],
)
def test_an_alternative_is_absent_only_when_both_sides_are(text: str, expected: Json) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("custom.badge.level", 7),
        ("custom.badge.title", "Gold"),
        ("custom.badge | title", "Gold"),
        ("custom.phones[0].title", "desk"),
        ("custom.phones[*].locale", []),
        ("custom.phones[?kind=='home'] | [0].number", "2"),
        ("custom.phones[?manager].number", []),
        ("map(&locale, custom.phones)", [None, None]),
        ("custom.phones[].number", ["1", "2"]),
        ("groups[0]", "staff"),
        ("groups[:1]", ["staff"]),
        ("length(custom.badge.*)", 2),
        ("`7`", 7),
    ],
)
def test_a_name_inside_a_value_is_not_the_attribute_of_that_name(text: str, expected: Json) -> None:
    said = {name: value for name, value in SAID.items() if name != "title"}
    assert evaluate(text, said) == expected


def test_an_expression_knows_the_attributes_that_it_reads() -> None:
    text = "join_present([user_name, custom.badge.title, title || email, user_name], ' ')"
    assert compile_expression(text).reads == ("user_name", "custom.badge", "title", "email")
    assert compile_expression("custom.phones[?kind=='x'].title").reads == ("custom.phones",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lower(user_name)", "mira"),
        ("upper(user_name)", "MIRA"),
        ("trim(' x ')", "x"),
        ("join_present([user_name, email, title, 'x'], '.')", "Mira.x"),
        ('lookup(user_name, `{"Mira": 3}`)', 3),
        ('lookup(user_name, `{"Mia": 3}`)', None),
        ("lookup(email, `{}`)", None),
    ],
)
def test_named_transforms(text: str, expected: Json) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "lower(active)",
        "lower(groups) || user_name",
        "unheard_of(user_name)",
        "join_present(custom.phones, ',')",
        "contains(user_name, `1`)",
        "groups[::0]",
        "ceil(to_number('inf'))",
        "to_number('nan')",
        "to_number('1e999')",
        "to_number('99999999999999999999')",
        "lookup(active, `{}`)",
    ],
)
def test_an_expression_that_cannot_be_evaluated_is_a_failure_and_never_an_exception(text: str) -> None:
    result = evaluate(text)
    assert isinstance(result, Failure)
    assert 0 < len(result.message) <= 300
    assert "\n" not in result.message


def test_a_failing_alternative_fails_where_the_first_says_nothing() -> None:
    assert isinstance(evaluate("email || lower(active)"), Failure)
    assert evaluate("user_name || lower(active)") == "Mira"


@pytest.mark.parametrize("text", ["user_name ||", "[", "a b", ""])
def test_a_text_that_is_not_jmespath_is_told_with_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="is not a JMESPath expression") as caught:
        compile_expression(text)
    assert "\n" not in str(caught.value)


def test_an_empty_text_disowns_a_field() -> None:
    assert set(compile_mapping({"email": "", "username": "user_name"})) == {"username"}


def test_the_newest_event_among_those_that_set_what_is_read() -> None:
    assert newest(["email", "title"], {"email": 3, "title": 9, "active": 12}) == 9
    assert newest(["locale"], {"email": 3}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1e6, 1e6) | st.text("ab ", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)
FUNCTIONS = sorted(Transforms.FUNCTION_TABLE)


@given(st.sampled_from(FUNCTIONS), JSON, JSON)
def test_whatever_a_custom_value_holds_the_result_can_be_kept(name: str, one: Json, other: Json) -> None:
    for arguments in ("custom.a", "custom.a, custom.b"):
        result = evaluate(f"{name}({arguments})", {"custom.a": one, "custom.b": other})
        assert isinstance(result, Failure) or canonical(result) is not None  # type: ignore[arg-type] # never absent here
