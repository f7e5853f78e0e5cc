"""The rules that a field's row implies, whatever the style."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.email import is_plausible_email
from connectors.sdk.fields import Field, FieldError, FieldType, Null, decode, encode, encode_all, normal, same
from connectors.sdk.model import Json
from connectors.sdk.text import instant, is_storable, one_line, quoted, storable, utc_text

TEXT = Field("name", FieldType.TEXT, "a document", null_as=Null.EMPTY)
FLAG = Field("flag", FieldType.BOOLEAN, "a document")
NUMBER = Field("number", FieldType.INTEGER, "a document")
AT = Field("at", FieldType.DATETIME, "a document", null_as=Null.NULL)
IDS = Field("ids", FieldType.ID_SET, "a document", null_as=Null.EMPTY)
THING = Field("thing", FieldType.OBJECT, "a document", null_as=Null.EMPTY)
NAMES = Field("names", FieldType.NAME_SET, "a document", null_as=Null.EMPTY)
PICTURE = Field("picture", FieldType.TEXT, "a document", null_as=Null.NULL, opaque=True)
ALL = (TEXT, FLAG, NUMBER, AT, IDS, THING, NAMES, PICTURE)

storable_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
moments = st.datetimes(timezones=st.just(dt.UTC))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)
wanted: st.SearchStrategy[tuple[Field, Json]] = st.one_of(
    st.tuples(st.just(TEXT), storable_text),
    st.tuples(st.just(FLAG), st.booleans()),
    st.tuples(st.just(NUMBER), st.integers(-(2**53) + 1, 2**53 - 1)),
    st.tuples(st.just(AT), moments.map(dt.datetime.isoformat)),
    st.tuples(st.just(IDS), st.lists(st.integers(1, 10**9)) | st.lists(storable_text)),
    st.tuples(st.just(NAMES), st.lists(storable_text.filter(str.strip))),
    st.tuples(st.just(THING), st.dictionaries(storable_text, storable_text)),
)


@given(wanted)
def test_encoding_twice_is_encoding_once(pair: tuple[Field, Json]) -> None:
    field, value = pair
    assert encode(field, encode(field, value)) == encode(field, value)


@given(wanted)
def test_what_a_server_stored_reads_back_as_what_was_sent(pair: tuple[Field, Json]) -> None:
    field, value = pair
    sent = encode(field, value)
    assert decode([field], {field.name: sent}) == {field.name: sent}
    assert same(field, value, sent)


@given(st.sampled_from(ALL), any_json)
def test_any_value_either_encodes_or_is_refused_with_field_and_document(field: Field, value: Json) -> None:
    encoded, refused = encode_all({field.name: field}, {field.name: value})
    assert storable(encoded.get(field.name)) == encoded.get(field.name)
    for message in refused.values():
        assert message.startswith(f"{field.name}: ")
        assert message.endswith("(a document)")
    assert len(encoded) + len(refused) == 1


@given(st.sampled_from(ALL), any_json)
def test_anything_that_a_target_shows_can_be_stored_and_compared(field: Field, value: Json) -> None:
    shown = decode([field], {field.name: value, "undocumented": 1})
    assert list(shown) == [field.name]
    assert storable(shown[field.name]) == shown[field.name]
    assert same(field, shown[field.name], shown[field.name])


@given(moments, offsets)
def test_one_moment_is_the_same_in_every_offset(moment: dt.datetime, offset: dt.timezone) -> None:
    try:
        elsewhere = moment.astimezone(offset)
    except OverflowError:
        return
    shown = elsewhere.isoformat()
    assert encode(AT, shown) == utc_text(moment)
    assert same(AT, shown, utc_text(moment))


@given(st.lists(st.integers(1, 50)), st.randoms())
def test_ids_are_a_set(ids: list[int], chance: object) -> None:
    del chance
    assert encode(IDS, [*ids, *reversed(ids)]) == sorted(set(ids))
    assert same(IDS, list(reversed(ids)), list(ids))


@pytest.mark.parametrize("value", [1, 0, "true", "false", "yes", "", [], {}, 1.0])
def test_only_true_and_false_are_booleans(value: Json) -> None:
    with pytest.raises(FieldError, match="is neither true nor false"):
        encode(FLAG, value)
    assert not same(FLAG, True, value)


def test_one_is_not_true_when_compared() -> None:
    assert not same(FLAG, True, 1)
    assert not same(NUMBER, 0, False)
    assert same(FLAG, True, True)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (TEXT, 5, "name: 5 is not text"),
        (TEXT, True, "name: true is not text"),
        (TEXT, ["a"], 'name: ["a"] is not text'),
        (TEXT, "a\x00b", "name: the value holds a NUL or a lone surrogate"),
        (TEXT, "a\ud800", "name: the value holds a NUL or a lone surrogate"),
        (FLAG, None, "flag: cannot be cleared"),
        (NUMBER, True, "number: true is not an integer"),
        (NUMBER, 1.5, "number: 1.5 is not an integer"),
        (NUMBER, 2**53, "number: 9007199254740992 is beyond the integers that JSON holds exactly"),
        (AT, "2024-01-31", "at: '2024-01-31' is not a date-time"),
        (AT, "2024-01-31T12:00:00", "is not a date-time"),
        (AT, "2024-13-31T12:00:00Z", "is not a date-time"),
        (AT, "0001-01-01T00:00:00+12:00", "is not a date-time"),
        (AT, 17, "at: 17 is not a date-time"),
        (IDS, "1", "ids: '1' is not a list of ids"),
        (IDS, [1, "a"], "is not a list of ids"),
        (IDS, [True], "is not a list of ids"),
        (IDS, ["a\x00"], "ids: an id holds a NUL or a lone surrogate"),
        (THING, [], "thing: [] is not an object"),
        (THING, {"a": ["\ud800"]}, "thing: a text in it holds a NUL or a lone surrogate"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_plain_words(field: Field, value: Json, words: str) -> None:
    with pytest.raises(FieldError) as raised:
        encode(field, value)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("field", "sent"),
    [(TEXT, ""), (IDS, []), (THING, {}), (AT, None)],
)
def test_a_cleared_value_is_sent_as_the_field_has_it(field: Field, sent: Json) -> None:
    assert encode(field, None) == sent
    assert same(field, None, sent)


def test_a_field_that_a_server_shows_as_null_is_empty_where_empty_clears_it() -> None:
    assert same(TEXT, "", None)
    assert not same(AT, "2024-01-31T12:00:00Z", None)
    assert normal(IDS, None) == []


def test_text_is_trimmed_before_its_length_is_measured() -> None:
    short = Field("name", FieldType.TEXT, "a document", min_length=2, max_length=3)
    assert encode(short, "  abc\t") == "abc"
    with pytest.raises(FieldError, match="has 4 characters, at most 3 are allowed"):
        encode(short, "abcd")
    with pytest.raises(FieldError, match="'a' is shorter than 2 characters"):
        encode(short, " a ")
    with pytest.raises(FieldError, match="name: may not be blank"):
        encode(short, "   ")


def test_a_choice_is_one_of_the_documented_ones() -> None:
    field = Field("gender", FieldType.TEXT, "a document", choices=("male", "female"))
    assert encode(field, "female") == "female"
    with pytest.raises(FieldError, match="'Female' is none of male, female"):
        encode(field, "Female")


def test_a_pattern_is_matched_against_the_whole_value() -> None:
    field = Field("code", FieldType.TEXT, "a document", pattern="[a-z]+")
    with pytest.raises(FieldError, match="'ab1' does not match"):
        encode(field, "ab1")
    assert encode(field, "") == ""


def test_a_style_may_normalise_on_top() -> None:
    field = Field(
        "gender", FieldType.TEXT, "a document", normalise=lambda value: str(value).lower() if value else value
    )
    assert encode(field, " Female ") == "female"
    assert same(field, "female", "FEMALE")
    assert decode([field], {"gender": "Female"}) == {"gender": "female"}


def test_a_quoted_value_is_cut_at_sixty_characters() -> None:
    field = Field("email", FieldType.TEXT, "a document", email=True)
    with pytest.raises(FieldError) as raised:
        encode(field, "x" * 500)
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize("value", ["canary-value", 5, None])
def test_a_secret_is_never_quoted(value: Json) -> None:
    for field in (
        Field("key", FieldType.BOOLEAN, "a document", write_only=True),
        Field("key", FieldType.TEXT, "a document", never_mapped="of a reason"),
        Field("key", FieldType.TEXT, "a document", read_only=True),
    ):
        with pytest.raises(FieldError) as raised:
            encode(field, value)
        assert "canary" not in str(raised.value)


def test_secrets_and_their_hashes_do_not_enter_a_record() -> None:
    fields = [
        Field("key", FieldType.TEXT, "a document", write_only=True),
        Field("password", FieldType.TEXT, "a document", never_mapped="of a reason"),
    ]
    assert decode(fields, {"key": "a", "password": "b", "more": 1}) == {}


def test_every_refusal_of_a_request_is_told_at_once() -> None:
    encoded, refused = encode_all({"name": TEXT, "flag": FLAG}, {"name": " a ", "flag": 1, "other": 2})
    assert encoded == {"name": "a"}
    assert set(refused) == {"flag", "other"}
    assert refused["other"] == "other: no field of this API"


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com",
        "first.last+tag@sub.example.co.uk",
        "root@localhost",
        "a@exämple.com",
        "پست@example.com",
        "a@[192.0.2.1]",
        '"a@b"@example.com',
        "o'hara@example.com",
    ],
)
def test_an_address_that_servers_accept_is_plausible(text: str) -> None:
    assert is_plausible_email(text)


@pytest.mark.parametrize(
    "text",
    [
        *("not-an-email", "", "@", "a@", "@b.co", "a b@c.de", "a@b", "a@@b.co", ".a@b.co", "a..b@c.de"),
        *("a.@b.co", "a@b..co", "a@.co", "a@b.co.", "a@-b.co", "a@b-.co", "a@[]", "a@b .co"),
    ],
)
def test_an_address_that_every_server_refuses_is_not(text: str) -> None:
    assert not is_plausible_email(text)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2018-02-01T08:00:00.000000Z", "2018-02-01T08:00:00Z"),
        ("2018-02-01t08:00:00.5z", "2018-02-01T08:00:00.500000Z"),
        ("2018-02-01 09:30:00+01:30", "2018-02-01T08:00:00Z"),
        ("2018-02-01T08:00:00.123456789Z", "2018-02-01T08:00:00.123456Z"),
    ],
)
def test_a_date_time_is_written_in_utc(text: str, utc: str) -> None:
    assert encode(AT, text) == utc


def test_what_is_no_date_time_compares_as_it_is() -> None:
    assert normal(AT, "never") == "never"
    assert instant("٢٠١٨-02-01T08:00:00Z") is None


@given(st.text())
def test_a_text_made_storable_is(text: str) -> None:
    assert is_storable(str(storable(text)))
    assert "\x00" not in one_line(text)
    assert "\n" not in one_line(text)
    assert len(quoted(text)) <= 62


def test_integers_beyond_json_become_text() -> None:
    assert storable({"a": [2**60, 1, True, None, 1.5]}) == {"a": [str(2**60), 1, True, None, 1.5]}


@pytest.mark.parametrize(
    ("asked_for", "shown", "alike"),
    [
        ("mira.png", "http://example.com/media/x.png", True),
        (None, None, True),
        (None, "", True),
        ("mira.png", None, False),
        ("mira.png", "", False),
        (None, "http://example.com/media/x.png", False),
    ],
)
def test_of_an_opaque_field_only_its_presence_is_compared(
    asked_for: Json, shown: Json, *, alike: bool
) -> None:
    assert same(PICTURE, asked_for, shown) is alike


def test_sets_of_names_are_compared_without_order_and_repeats() -> None:
    assert same(NAMES, ["b", " a ", "b"], ["a", "b"])
    assert not same(NAMES, ["a"], ["a", "b"])
    assert same(NAMES, None, [])
    assert normal(NAMES, "no list") == "no list"
