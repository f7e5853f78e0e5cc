"""Events: what is taken, and with which pointer everything else is refused."""

from __future__ import annotations

import pytest

from connectors.sdk.model import Json
from tests.worker.domain.builders import Source, body, read, refused
from worker.domain.event import CHANGED, JOINED, LEFT, RETURNED, as_object, source_uri
from worker.domain.strict_json import RefusedError, digest


def without(key: str) -> dict[str, Json]:
    return {name: value for name, value in body().items() if name != key}


@pytest.mark.parametrize("key", ["id", "type", "subject", "time", "sequence"])
def test_a_missing_attribute_of_the_envelope_is_refused_with_its_pointer(key: str) -> None:
    assert refused(without(key)) == (f"/{key}", "is missing")


def test_a_missing_source_is_refused_with_its_pointer() -> None:
    with pytest.raises(RefusedError) as caught:
        source_uri(without("source"))
    assert caught.value.refusal.pointer == "/source"
    assert source_uri(body()) == "hr"


@pytest.mark.parametrize("key", ["id", "type", "subject", "time", "sequence"])
@pytest.mark.parametrize("value", [None, 7, "", "  ", ["x"], "x" * 256])
def test_an_envelope_attribute_that_is_no_short_text_is_refused(key: str, value: Json) -> None:
    assert refused(body(**{key: value})) == (
        f"/{key}",
        "must be a non-empty string of at most 255 characters",
    )


@pytest.mark.parametrize("version", [None, "0.3", 1.0])
def test_another_version_of_cloudevents_is_refused(version: Json) -> None:
    assert refused(body(specversion=version))[0] == "/specversion"


@pytest.mark.parametrize("document", [[], "x", 7, None, True])
def test_an_event_that_is_no_object_is_refused_as_a_whole(document: Json) -> None:
    with pytest.raises(RefusedError) as caught:
        as_object(document)
    assert caught.value.refusal.pointer == ""
    assert as_object({"a": 1}) == {"a": 1}


def test_an_unknown_type_is_refused_with_the_one_that_was_meant() -> None:
    pointer, reason = refused(body(type="hirewire.person.change"))
    assert pointer == "/type"
    assert reason == f"is not a known event type, did you mean {CHANGED!r}?"


def test_a_type_that_resembles_nothing_is_refused_with_the_known_ones() -> None:
    pointer, reason = refused(body(type="x"), Source(types={"com.hr.hired": JOINED}))
    assert pointer == "/type"
    assert "known: com.hr.hired, hirewire.person.joined" in reason


def test_a_foreign_type_is_read_as_the_native_one_that_the_source_maps_it_to() -> None:
    event = read(body(type="com.hr.fired"), Source(types={"com.hr.fired": LEFT}))
    assert (event.type, event.assertions["active"]) == (LEFT, False)


@pytest.mark.parametrize("data", [None, "x", [], 7])
def test_data_that_is_no_object_is_refused(data: Json) -> None:
    assert refused(body(data=data)) == ("/data", "must be an object")
    assert refused(without("data")) == ("/data", "must be an object")


def test_data_base64_is_refused() -> None:
    assert refused(body(data_base64="e30="))[0] == "/data_base64"


def test_another_content_type_is_refused() -> None:
    assert refused(body(datacontenttype="text/xml"))[0] == "/datacontenttype"
    assert read(body(datacontenttype="application/json")).id == "e-1"


def test_an_attribute_outside_the_vocabulary_is_refused_with_the_one_that_was_meant() -> None:
    assert refused(body(data={"given/nam": "x"})) == (
        "/data/given~1nam",
        "is not an attribute, did you mean 'given_name'?",
    )


def test_an_attribute_of_the_wrong_type_is_refused() -> None:
    assert refused(body(data={"email": 7})) == ("/data/email", "must be a string")


def test_an_attribute_without_authority_is_refused() -> None:
    assert refused(body(data={"title": "Captain"})) == (
        "/data/title",
        "is an attribute that this source has no authority over",
    )


@pytest.mark.parametrize("native", [JOINED, LEFT, RETURNED])
def test_a_type_that_implies_active_needs_authority_over_it(native: str) -> None:
    rules = Source(attributes=("given_name",))
    assert refused(body(type=native), rules)[0] == "/type"
    assert read(body(type=CHANGED), rules).assertions == {"given_name": "Mira"}


@pytest.mark.parametrize(("native", "active"), [(JOINED, True), (LEFT, False), (RETURNED, True)])
def test_the_type_implies_active_unless_the_data_says(native: str, active: bool) -> None:
    assert read(body(type=native)).assertions == {"given_name": "Mira", "active": active}
    said = read(body(type=native, data={"active": not active}))
    assert said.assertions == {"active": not active}


def test_a_change_implies_nothing_about_active() -> None:
    assert "active" not in read(body(type=CHANGED)).assertions


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-31",
        "2026-01-31T09:30:00",
        "2026-01-31 09:30:00Z",
        "2026-02-30T09:30:00Z",
        "2026-01-31T25:30:00Z",
        "2026-01-31T09:30:00+25:00",
        "2026-01-31T09:30:00+01:75",
        "2026-01-31T09:30:00.1234567890Z",
        "2026-01-31T09:30:00.\u0663Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "yesterday",
    ],
)
@pytest.mark.parametrize("order", ["time", "integer"])
def test_a_bad_time_is_refused(stamp: str, order: str) -> None:
    assert refused(body(time=stamp), Source(order=order))[0] == "/time"


@pytest.mark.parametrize("sequence", ["x", "-1", "1.0", "+1", " 1", "1" * 39, "\u0661"])
def test_a_sequence_that_is_no_integer_is_refused_where_the_source_orders_by_integer(sequence: str) -> None:
    assert refused(body(sequence=sequence))[0] == "/sequence"
    assert read(body(sequence=sequence), Source(order="lexical")).order == sequence


def test_a_source_that_orders_by_time_needs_no_sequence() -> None:
    assert read(without("sequence"), Source(order="time")).order.startswith("2026-01-31T09:30:00.")


def test_the_same_body_has_the_same_hash_and_another_body_another() -> None:
    assert read(body()).body_hash == read(dict(reversed(body().items()))).body_hash
    assert read(body()).body_hash != read(body(data={"given_name": "Mia"})).body_hash


def test_reading_changes_neither_the_body_nor_its_hash() -> None:
    document = body(type=LEFT)
    before = digest(document)
    assert read(document).body_hash == before
    assert digest(document) == before


def test_an_event_says_whether_it_is_a_snapshot() -> None:
    assert read(body(), Source(payload="snapshot")).snapshot
    assert not read(body()).snapshot
