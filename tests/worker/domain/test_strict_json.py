"""JSON that can be stored and hashed without loss; everything else is refused with its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from worker.domain.strict_json import Limits, Refusal, RefusedError, canonical, check, digest, parse

LIMITS = Limits()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def refusal(raw: bytes, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(RefusedError) as caught:
        parse(raw, limits)
    found = caught.value.refusal
    assert str(caught.value) == f"{found.pointer or '(whole event)'}: {found.reason}"
    return found.pointer, found.reason


def accept(raw: bytes) -> Json | Refusal:
    try:
        return parse(raw, LIMITS)
    except RefusedError as error:
        return error.refusal


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("raw", [b"", b"{", b"{'a': 1}", b'{"a": 1,}', b"01", b'"a\nb"', b"{} {}", b"nan"])
def test_malformed_json_is_refused_as_a_whole(raw: bytes) -> None:
    pointer, reason = refusal(raw)
    assert pointer == ""
    assert reason.startswith("is not JSON: ")


def test_text_that_is_not_utf_8_is_refused_with_the_byte() -> None:
    assert refusal(b'{"a": "\xff"}') == ("", "is not UTF-8 at byte 7")
    assert refusal(b'"\xed\xa0\x80"')[1].startswith("is not UTF-8")


def test_an_event_over_256_kib_is_refused_before_it_is_read() -> None:
    filler = b'{"a": [' + b",".join([b'"' + b"x" * 60_000 + b'"'] * 4)
    exact = filler + b" " * (262_144 - len(filler) - 2) + b"]}"
    assert len(exact) == 262_144
    assert isinstance(parse(exact, LIMITS), dict)
    assert refusal(exact + b" ") == ("", "is 262145 bytes, the limit is 262144")


def test_nesting_beyond_16_levels_is_refused_at_the_17th() -> None:
    assert parse(nested(16), LIMITS) is not None
    assert refusal(nested(17)) == ("/0" * 16, "is nested deeper than 16 levels")
    assert refusal(b'{"data":' * 17 + b"1" + b"}" * 17)[0] == "/data" * 16


def test_nesting_that_python_cannot_read_is_refused_too() -> None:
    assert refusal(nested(100_000)) == ("", "is nested too deeply to read")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_refused_with_their_place(word: str) -> None:
    raw = f'{{"data": {{"x": [1, {word}]}}}}'.encode()
    assert refusal(raw) == ("/data/x/1", "is NaN or infinite, which JSON does not have")


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_number_that_overflows_to_infinity_is_refused_with_its_place(number: str) -> None:
    assert refusal(f'{{"a": {number}}}'.encode()) == ("/a", "is a number too large to keep")


def test_a_key_given_twice_is_refused_with_its_place() -> None:
    assert refusal(b'{"data": {"a/b": 1, "c": 2, "a/b": 1}}') == ("/data/a~1b", "stands twice in one object")
    assert refusal(b'{"x~": 1, "x~": 2, "y": 3, "y": 4}')[0] == "/x~0"


@pytest.mark.parametrize("escaped", [r"\ud800", r"\udfff", r"\udc00\ud800"])
def test_a_lone_surrogate_is_refused_in_values_and_in_keys(escaped: str) -> None:
    assert refusal(f'{{"a": "x{escaped}"}}'.encode()) == ("/a", "holds a lone surrogate, which is not text")
    assert refusal(f'{{"a": {{"{escaped}": 1}}}}'.encode()) == (
        "/a",
        "has a key that holds a lone surrogate, which is not text",
    )


def test_a_nul_is_refused_in_values_and_in_keys() -> None:
    assert refusal(rb'{"a": "x\u0000"}') == ("/a", "holds a NUL character")
    assert refusal(rb'{"\u0000": 1}') == ("", "has a key that holds a NUL character")


@pytest.mark.parametrize("key", [r"\ud800", r"\u0000", "k" * 70_000])
def test_a_refusal_can_always_be_stored_even_of_a_bad_key_given_twice(key: str) -> None:
    pointer, reason = refusal(f'{{"{key}": 1, "{key}": 2}}'.encode())
    assert pointer == ""
    assert canonical(reason)


@pytest.mark.parametrize(
    "number", ["9007199254740992", "-9007199254740992", "9007199254740993.0", "1e20", "1" * 5_000]
)
def test_a_number_that_canonical_json_cannot_hold_is_refused_with_its_place(number: str) -> None:
    assert refusal(f'{{"a": [{number}]}}'.encode()) == (
        "/a/0",
        "is a number beyond 2^53, send it as a string",
    )


def test_the_largest_exact_integer_is_kept() -> None:
    assert parse(b"[9007199254740991, -9007199254740991]", LIMITS) == [2**53 - 1, 1 - 2**53]


def test_members_and_characters_are_limited() -> None:
    limits = Limits(max_keys=2, max_string=3)
    assert refusal(b'{"a": [1, 2, 3]}', limits) == ("/a", "has 3 members, the limit is 2")
    assert refusal(b'{"a": "1234"}', limits) == ("/a", "has 4 characters, the limit is 3")
    assert refusal(b'{"1234": 1}', limits) == ("", "has a key that has 4 characters, the limit is 3")


def test_a_check_goes_on_to_every_place() -> None:
    limits = Limits(max_depth=2, max_keys=3, max_string=4)
    document: Json = {"deep": [[1]], "many": [1, 2, 3, 4], "ok": [{}, 2**53]}
    assert [found.pointer for found in check(document, limits)] == ["/deep/0", "/many", "/ok/0", "/ok/1"]
    assert [found.pointer for found in check([{"a\x00": 1}, 1e300], Limits())] == ["/0", "/1"]


@given(DOCUMENTS)
def test_whatever_is_accepted_survives_canonical_text_unchanged(document: Json) -> None:
    accepted = accept(json.dumps(document).encode())
    if isinstance(accepted, Refusal):
        assert canonical(f"{accepted}")
        return
    text = canonical(accepted)
    again = parse(text.encode(), LIMITS)
    assert again == accepted
    assert canonical(again) == text
    assert digest(again) == digest(accepted)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.integers(0, 9), max_size=5))
def test_the_order_of_keys_does_not_change_the_digest(document: dict[str, Json]) -> None:
    assert digest(dict(reversed(document.items()))) == digest(document)
