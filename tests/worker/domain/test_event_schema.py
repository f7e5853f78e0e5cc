"""The schema of an event and the intake agree: on every event but for what a schema cannot say.

Left out of the property, since no schema sees them: the bytes of the event and its depth, a key given
twice, lone surrogates, NaN, and a time that its offset leads out of the calendar. They are tested in
test_strict_json and test_event.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import regress
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from config.sections import Source
from connectors.sdk.model import Json
from worker.domain.attributes import VOCABULARY
from worker.domain.calendar_text import DATE_PATTERN
from worker.domain.event import CHANGED, JOINED, LEFT, TYPES, as_object, read_event, source_uri
from worker.domain.event_schema import event_schema, type_names
from worker.domain.extract import Mapped, as_sent
from worker.domain.strict_json import Limits, RefusedError, parse

ROOT = Path(__file__).resolve().parents[3]
URI = "https://hr.example.com"
LIMITS = Limits(max_keys=12, max_string=300)
ALL = (*sorted(VOCABULARY), "custom.*")
SOURCES = {
    "all": Source(uri=URI, attributes=ALL),
    "few": Source(uri=URI, attributes=("given_name", "start_date", "custom.badge"), order="integer"),
    "foreign": Source(uri=URI, attributes=("email", "active"), order="lexical", types={"com.left": LEFT}),
    "turned": Source(uri=URI, attributes=("email",), payload="snapshot", types={JOINED: CHANGED}),
    "narrow": Source(uri=URI, attributes=("email", "active"), subjects="E[0-9]+|x+", only_types=(LEFT,)),
    "mapped": Source(uri=URI, attributes=("email",), mapping={"email": "mail"}),
}


@cache
def validator(name: str) -> Any:
    rules = SOURCES[name]
    schema = event_schema(name, URI, rules, LIMITS, mapped=bool(rules.mapping))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def is_taken(name: str, document: Json) -> bool:
    """Whether the intake takes it, from bytes on."""
    rules = SOURCES[name]
    extract = Mapped.compile(rules.mapping) if rules.mapping else as_sent
    try:
        body = as_object(parse(json.dumps(document).encode(), LIMITS))
        if source_uri(body) != rules.uri:
            return False
        read_event(body, name, rules, extract)
    except RefusedError:
        return False
    return True


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.sampled_from([2**53 - 1, 2**53, -(2**53), 1e300])
ODD = st.sampled_from(["", " ", "\x1c", "\u3000", "\ufeff", "a\n", "x" * 255, "x" * 256, "x" * 301, "a\x00"])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT | ODD
KEYS = TEXT | st.sampled_from(["a\x00", "k" * 301, "badge", "custom", ""])
VALUES = st.recursive(
    SCALARS,
    lambda deeper: st.lists(deeper, max_size=14) | st.dictionaries(KEYS, deeper, max_size=14),
    max_leaves=14,
)
DATES = st.dates().map(dt.date.isoformat) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\n?", fullmatch=True)
ASSERTED = st.sampled_from(
    [*ALL, "custom.badge", "custom.Badge_2", "custom.", "custom.9", "custom.a\n", "surname"]
)
NESTED = st.dictionaries(
    st.sampled_from(["badge", "x" * 64, "x" * 65, "9", "a\n", "a.b", "_"]), VALUES, max_size=3
)
NAMES = st.lists(st.sampled_from(["Editors", "", "a\x00", None, 7]), max_size=3)
DATA = st.dictionaries(ASSERTED, SCALARS | DATES | NAMES | VALUES, max_size=4) | st.fixed_dictionaries(
    {}, optional={"custom": NESTED | VALUES, "given_name": SCALARS, "start_date": DATES, "groups": NAMES}
)
CLOCKS = r"2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|[+-][0-2][0-9]:[0-9]{2})"
ODD_TIMES = (
    "2026-01-31t09:30:00.123456789+23:59",
    "2024-02-29T00:00:00z",
    "2026-02-29T00:00:00Z",
    "2026-01-31T09:30:60Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T09:30:00+24:00",
    "2026-01-31T09:30:00+01:75",
    "2026-01-31T09:30:00Z\n",
    "2026-01-31 09:30:00Z",
    "2026-01-31T09:30:00",
    "2026-01-31T09:30:00.Z",
)
TIMES = st.sampled_from(ODD_TIMES) | st.from_regex(CLOCKS, fullmatch=True)
MEDIA = st.sampled_from(
    [
        "application/json",
        " Application/JSON ;charset=utf-8",
        "application/json\n",
        "application/jsonx",
        "text/json",
        "\u212a",
        "",
    ]
)
SEQUENCES = st.from_regex(r"[0-9]{1,40}\n?", fullmatch=True) | ODD | st.sampled_from(["\u0661", "-1", "007"])
GOOD: dict[str, st.SearchStrategy[Json]] = {
    "specversion": st.just("1.0"),
    "id": st.just("e-1"),
    "source": st.just(URI),
    "subject": st.just("E1001"),
    "time": st.just("2026-01-31T09:30:00Z"),
    "sequence": st.just("7"),
}
ANY: dict[str, st.SearchStrategy[Json]] = {
    "specversion": st.sampled_from(["1.0", "0.3", 1.0, None]),
    "id": SCALARS,
    "source": st.sampled_from([URI, URI + "/", ""]) | SCALARS,
    "type": st.sampled_from([*TYPES, "com.left", "hirewire.person.promoted", CHANGED + "\n"]) | SCALARS,
    "subject": SCALARS,
    "time": TIMES | SCALARS,
    "sequence": SEQUENCES | SCALARS,
    "data": DATA | VALUES,
    "datacontenttype": MEDIA | SCALARS,
    "data_base64": SCALARS,
    "traceparent": VALUES,
}


SHAPED: dict[str, st.SearchStrategy[Json]] = {
    "active": st.none() | st.booleans(),
    "groups": st.none() | st.lists(st.sampled_from(["Editors", "Press"])),
    "start_date": st.none() | st.dates().map(dt.date.isoformat),
    "end_date": st.none(),
    "custom.badge": VALUES,
}


def owned(rules: Source) -> st.SearchStrategy[dict[str, Json]]:
    """Data of a source that keeps to its attributes and their shapes."""
    shapes = {name: SHAPED.get(name, st.none() | TEXT) for name in rules.attributes if name != "custom.*"}
    return st.fixed_dictionaries({}, optional=shapes)


@st.composite
def events(draw: st.DrawFn, name: str) -> dict[str, Json]:
    """A good event of the source, or one with a thing or two drawn from everything or taken away."""
    rules = SOURCES[name]
    good = {**GOOD, "type": st.sampled_from([*type_names(rules)]), "data": owned(rules)}
    body = {key: draw(values) for key, values in good.items()}
    for key in draw(st.lists(st.sampled_from(sorted(ANY)), max_size=2, unique=True)):
        if draw(st.integers(0, 5)):
            body[key] = draw(ANY[key])
        else:
            body.pop(key, None)
    return body


@pytest.mark.parametrize("name", sorted(SOURCES))
@given(drawn=st.data())
def test_the_schema_takes_an_event_exactly_if_the_intake_does(name: str, drawn: st.DataObject) -> None:
    event = drawn.draw(events(name))
    if name == "mapped":
        event["data"] = {"vendor": event.get("data")}  # what its mapping does not read
    errors = [error.message for error in validator(name).iter_errors(event)]
    assert (errors == []) == is_taken(name, event), errors


@given(document=VALUES)
def test_what_is_no_event_is_refused_by_both(document: Json) -> None:
    assert validator("all").is_valid(document) == is_taken("all", document)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_examples_of_a_schema_are_taken(name: str) -> None:
    examples = validator(name).schema["examples"]
    assert examples
    assert all(validator(name).is_valid(example) and is_taken(name, example) for example in examples)


def strictly(line: str) -> Json:
    """As a sender's own strict parser; raises ValueError for what is no JSON at all."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) < len(found):
            raise ValueError("a key stands twice")
        return dict(found)

    def constant(word: str) -> None:
        raise ValueError(word)

    document: Json = json.loads(line, object_pairs_hook=pairs, parse_constant=constant)
    return document


def test_the_lines_of_the_demo_are_valid_but_those_refused_for_their_form() -> None:
    sandbox = tomllib.loads((ROOT / "config/demo/sandbox.toml").read_text(encoding="utf-8"))
    rules = Source(**sandbox["sources"]["hr"])
    check = Draft202012Validator(event_schema("hr", rules.uri, rules, Limits(), mapped=False))
    refused = []
    for line in (ROOT / "config/demo/events.ndjson").read_text(encoding="utf-8").splitlines():
        try:
            document = strictly(line)
        except ValueError:
            continue
        assert isinstance(document, dict)
        if not check.is_valid(document):
            refused.append(document["id"])
    assert refused == ["hr-055", "hr-056", "hr-057", "hr-058"]


def test_a_date_is_a_pattern_of_exactly_the_days_that_there_are() -> None:
    """Over every year for the 29th of February, and over every text like MM-DD for an ordinary year."""
    pattern = re.compile(DATE_PATTERN)
    texts = [f"{year:04d}-02-29" for year in range(10_000)]
    texts += [
        f"{year}-{month:02d}-{day:02d}" for year in (2023, 2024) for month in range(100) for day in range(100)
    ]
    assert [text for text in texts if bool(pattern.fullmatch(text)) != is_date(text)] == []


def is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def patterns(schema: Json) -> set[str]:
    """Every pattern in a schema."""
    inner = schema if isinstance(schema, list) else list(schema.values()) if isinstance(schema, dict) else []
    found = set().union(*map(patterns, inner))
    if isinstance(schema, dict):
        found |= {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        found |= set(schema.get("patternProperties", {}))
    return found


@pytest.mark.parametrize(
    "pattern", sorted(set().union(*(patterns(validator(name).schema) for name in SOURCES)))
)
@given(text=TEXT | ODD | TIMES | DATES | MEDIA | ASSERTED | SEQUENCES)
def test_a_pattern_means_the_same_to_other_languages(pattern: str, text: str) -> None:
    """As ECMA-262 reads it, which the standard recommends; most validators do one or the other."""
    other = regress.Regex(pattern, flags="u").find(text)
    assert (re.search(pattern, text) is not None) == (other is not None)


def test_white_space_is_what_python_strips() -> None:
    """All of it, as the pattern of a name writes it out."""
    blank = re.compile(validator("all").schema["$defs"]["name"]["pattern"])
    spaces = {code for code in range(sys.maxunicode + 1) if chr(code).isspace()}
    assert {code for code in range(sys.maxunicode + 1) if not blank.search(chr(code))} == spaces
