"""Events come in every content mode of CloudEvents over HTTP, and as a vendor's own JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.worker.api.intake.serving import BATCHED, KEY, NDJSON, STRUCTURED, URI, Served, event, sha256
from worker.storage import tables

if TYPE_CHECKING:
    from tests.worker.api.intake.conftest import Serve

BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "e1",
    "ce-source": URI,
    "ce-type": "hirewire.person.changed",
    "ce-subject": "E1001",
    "ce-time": "2026-01-31T09:30:00Z",
}
DELIVERY: dict[str, Any] = {
    "uri": "https://vendor.example.com",
    "attributes": ["title"],
    "keys": {"one": {"sha256": "c" * 64}},
    "mapping": {"title": "job"},
    "delivery": {
        "each": "payload.people",
        "type": "payload.what",
        "subject": "item.no",
        "time": "item.at",
    },
    "types": {"changed": "hirewire.person.changed"},
}


def results(answer: Any) -> list[tuple[str | None, str]]:
    return [(result.get("id"), result["status"]) for result in answer.json()["results"]]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_structured_event_is_stored_before_the_answer(database_url: str, serve: Serve) -> None:
    served = serve(database_url)
    answer = served.send(event("e1"))
    assert (answer.status_code, results(answer)) == (202, [("e1", "accepted")])
    assert served.stored() == ["e1"]
    assert served.signals.sent == [("fold", 0)]
    [record] = served.audit("event:accept:")
    assert (record["action"], record["actor"]) == ("event:accept:accepted", "source:hr")
    assert record["correlation"] == answer.json()["results"][0]["correlation"]


def test_a_binary_event_is_the_same_as_the_structured_one(served: Served) -> None:
    first = served.send({"given_name": "Mira"}, "application/json", headers=BINARY)
    again = served.send(event("e1", datacontenttype="application/json"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert served.stored() == ["e1"]


def test_attributes_in_headers_are_percent_decoded(served: Served) -> None:
    headers = {**BINARY, "ce-subject": "E%C3%A9%201"}
    assert served.send({}, "application/json; charset=utf-8", headers=headers).status_code == 202
    assert [row.subject for row in served.rows(sa.select(tables.event.c.subject))] == ["Eé 1"]


def test_headers_that_are_no_attributes_are_refused(served: Served) -> None:
    for name, value in (("subject", "%FF"), ("data", "x"), ("sub_ject", "x"), ("id", "%00")):
        answer = served.send({}, "application/json", headers={**BINARY, f"ce-{name}": value})
        assert (answer.status_code, answer.json()["pointer"]) == (422, f"/{name}")
    assert served.stored() == []


def test_one_bad_event_of_a_batch_sinks_no_other(served: Served) -> None:
    body = b"[%s, NaN, {}, %s]" % (json.dumps(event("e1")).encode(), json.dumps(event("e2")).encode())
    answer = served.send(body, BATCHED)
    assert answer.status_code == 202
    assert results(answer) == [("e1", "accepted"), (None, "refused"), (None, "refused"), ("e2", "accepted")]
    assert served.stored() == ["e1", "e2"]
    assert len(served.audit("event:accept:refused")) == 2


@pytest.mark.parametrize("kind", [BATCHED, NDJSON])
@pytest.mark.parametrize("bad", ["bad\ud800", "bad\x00", "b" * 70_000])
def test_an_id_that_is_no_text_to_keep_is_refused_and_sinks_no_other(
    bad: str, kind: str, database_url: str, serve: Serve
) -> None:
    served = serve(database_url)
    both = [json.dumps(event(name)) for name in ("good", bad)]
    body = f"[{','.join(both)}]" if kind == BATCHED else "\n".join(both)
    answer = served.send(body.encode(), kind)
    assert answer.status_code == 202
    found = answer.json()["results"] if kind == BATCHED else lines(answer.text)
    assert [(one.get("id"), one["status"]) for one in found] == [("good", "accepted"), (None, "refused")]
    assert served.stored() == ["good"]
    [record] = served.audit("event:accept:refused")
    assert (record["event"], record["pointer"]) == (None, "/id")


@pytest.mark.parametrize("bad", ["bad%00", "bad%ED%A0%80", "bad%FF", "b" * 70_000])
def test_an_id_in_a_header_that_is_no_text_to_keep_is_refused(
    bad: str, database_url: str, serve: Serve
) -> None:
    served = serve(database_url)
    answer = served.send({}, "application/json", headers={**BINARY, "ce-id": bad})
    assert 400 <= answer.status_code < 500
    assert served.stored() == []


def test_a_batch_may_have_more_events_than_an_object_keys(served: Served) -> None:
    answer = served.send([event(f"e{n}") for n in range(300)], BATCHED)
    assert {status for _, status in results(answer)} == {"accepted"}
    assert served.stored() == [f"e{n}" for n in range(300)]


def test_what_is_no_batch_is_refused_whole(served: Served) -> None:
    for body in (b"{}", b"[", b'"x"', b"\xff", b""):
        answer = served.send(body, BATCHED)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert answer.json()["pointer"] == ""


def test_a_batch_of_nothing_is_taken(served: Served) -> None:
    answer = served.send([], BATCHED)
    assert (answer.status_code, answer.json()) == (202, {"results": []})


def test_a_stream_has_a_result_for_each_line(database_url: str, serve: Serve) -> None:
    served = serve(database_url)
    good = [json.dumps(event(f"e{n}")) for n in range(250)]
    body = "\n".join([*good[:120], "", "{", '{"a": 1, "a": 2}', " ", *good[120:]]).encode()
    answer = served.send(body, NDJSON)
    found = lines(answer.text)
    assert (answer.status_code, answer.headers["content-type"]) == (202, NDJSON)
    assert [one["status"] for one in found] == ["accepted"] * 120 + ["refused"] * 2 + ["accepted"] * 130
    assert found[121]["pointer"] == "/a"
    assert served.stored() == [f"e{n}" for n in range(250)]


def test_a_stream_needs_no_length(served: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for n in range(120):
            text = json.dumps(event(f"e{n}")).encode() + b"\r\n"
            yield text[:50]
            yield text[50:]

    assert len(lines(served.send(pieces(), NDJSON).text)) == 120
    assert served.stored() == [f"e{n}" for n in range(120)]


def test_a_line_that_is_too_long_is_refused_and_the_next_is_taken(served: Served) -> None:
    long = b'{"id": "' + b"x" * 300_000 + b'"}\n'
    found = lines(served.send(long + json.dumps(event("e1")).encode(), NDJSON).text)
    assert [one["status"] for one in found] == ["refused", "accepted"]
    assert "longer than the limit of 262144 bytes" in found[0]["detail"]


def test_a_vendors_payload_becomes_the_events_that_the_configuration_says(serve: Serve) -> None:
    vendor = {**DELIVERY, "keys": {"one": {"sha256": sha256("hwk_vendor")}}}
    served = serve(sources={"vendor": vendor})
    people = [
        {"no": 7, "job": "Cook", "at": "2026-02-01T00:00:00Z"},
        {"no": 8, "job": None, "at": "soon"},
        {"no": []},
    ]
    payload = {"what": "changed", "people": people}
    answer = served.send(payload, "application/json", "hwk_vendor", {"webhook-id": "d1"})
    assert answer.status_code == 202
    assert results(answer) == [("d1/0", "accepted"), ("d1/1", "refused"), (None, "refused")]
    assert [one.get("pointer") for one in answer.json()["results"]] == [None, "/time", "/subject"]
    columns = (tables.event.c.subject, tables.event.c.type, tables.event.c.assertions)
    assert [tuple(row) for row in served.rows(sa.select(*columns))] == [
        ("7", "hirewire.person.changed", {"title": "Cook"})
    ]
    again = served.send(payload, "application/json", "hwk_vendor", {"webhook-id": "d1"})
    assert again.json()["results"][0] == answer.json()["results"][0]
    assert served.send(payload, "application/json", KEY).status_code == 415


def test_the_same_values_at_another_time_are_another_event(serve: Serve) -> None:
    served = serve(sources={"vendor": {**DELIVERY, "keys": {"one": {"sha256": sha256("hwk_vendor")}}}})
    for at in ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-02T00:00:00Z"):
        payload = {"what": "changed", "people": [{"no": "E1", "job": "Cook", "at": at}]}
        assert served.send(payload, "application/json", "hwk_vendor").status_code == 202
    assert len(served.stored()) == 2


def test_a_structured_event_is_no_batch_and_no_stream(served: Served) -> None:
    assert served.send([event("e1")], STRUCTURED).status_code == 422
    assert served.stored() == []
