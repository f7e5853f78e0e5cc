"""What is too much, too deep or of the wrong kind is refused before it costs anything."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests
import sqlalchemy as sa

from tests.worker.api.intake.serving import BATCHED, KEY, NDJSON, STRUCTURED, Served, event, signed
from worker.storage import tables
from worker.storage.refused import KEPT_BYTES

if TYPE_CHECKING:
    from tests.worker.api.intake.conftest import Serve


def test_only_the_exact_content_types_are_taken(served: Served) -> None:
    wrong = [
        "",
        "text/plain",
        "application/xml",
        f"{STRUCTURED}; charset=latin-1",
        "application/cloudevents",
        "application/cloudevents+xml",
        "application/jsonx",
        "application/json, text/html",
        f"{NDJSON}; x=1",
    ]
    for kind in wrong:
        answer = served.send(event("e1"), kind)
        assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json"), kind
    assert served.send(event("e1"), headers={"content-encoding": "gzip"}).status_code == 415
    assert served.send(event("e1"), "Application/CloudEvents+JSON; Charset=UTF-8").status_code == 202
    assert served.stored() == ["e1"]


def test_a_body_over_the_limit_is_refused_while_it_comes(served: Served) -> None:
    """The sender never ends; the answer comes all the same."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.putrequest("POST", "/v1/events")
    for name, value in (
        ("content-type", STRUCTURED),
        ("authorization", f"Bearer {KEY}"),
        ("transfer-encoding", "chunked"),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(5):
        connection.send(b"%x\r\n%s\r\n" % (65_536, b" " * 65_536))
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["pointer"]) == (413, "")
    connection.close()
    [record] = served.audit("event:accept:refused")
    assert (record["actor"], record["reason"]) == ("source:hr", "is longer than the limit of 262144 bytes")


def test_a_declared_length_over_the_limit_is_refused_at_once(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    headers = {"content-type": BATCHED, "content-length": "1048577", **signed(b"")}
    connection.request("POST", "/v1/events?source=hr", headers=headers)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_does_not_come_is_not_waited_for(serve: Serve) -> None:
    served = serve(api={"body_s": 0.2})
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    headers = {"content-type": STRUCTURED, "content-length": "10", "authorization": f"Bearer {KEY}"}
    connection.request("POST", "/v1/events", headers=headers)
    assert connection.getresponse().status == 408
    connection.close()


def test_what_json_cannot_keep_is_refused_with_its_place(served: Served) -> None:
    deep = json.dumps(event("e1", data={"custom": {}})).replace("{}", '{"a":' * 20 + "1" + "}" * 20)
    wide = json.dumps(event("e1", data={f"k{n}": 1 for n in range(300)}))
    long = json.dumps(event("e1", data={"given_name": "x" * 70_000}))
    cases = {
        json.dumps(event("e1")).replace('"Mira"', "NaN"): "/data/given_name",
        json.dumps(event("e1")).replace('"Mira"', "1e999"): "/data/given_name",
        json.dumps(event("e1")).replace('"Mira"', '"\\ud800"'): "/data/given_name",
        json.dumps(event("e1")).replace('"Mira"', '"a\\u0000"'): "/data/given_name",
        json.dumps(event("e1")).replace('"id"', '"id": "e0", "id"'): "/id",
        wide: "/data",
        long: "/data/given_name",
        "[" * 100_000: "",
        "{": "",
    }
    for raw, pointer in cases.items():
        answer = served.send(raw.encode())
        assert (answer.status_code, answer.json()["pointer"]) == (422, pointer), raw[:80]
    assert served.send(deep.encode()).json()["detail"] == "is nested deeper than 16 levels"
    assert served.stored() == []


def test_the_beginning_of_what_a_proven_sender_had_refused_is_kept(served: Served) -> None:
    raw = json.dumps(event("e1", data={"given_name": 7, "email": "m" * 9000})).encode()
    assert served.send(raw).status_code == 422
    assert served.send(raw, key="stranger").status_code == 401
    [row] = served.rows(sa.select(tables.refused_body))
    assert (row.source, row.event_id, row.pointer) == ("hr", "e1", "/data/given_name")
    assert row.body == raw[:KEPT_BYTES]


def test_a_source_that_sends_too_much_is_told_when_to_come_again(serve: Serve) -> None:
    served = serve(api={"events_per_s": 0.5, "burst": 3})
    assert served.send([event(f"e{n}") for n in range(5)], BATCHED).status_code == 202
    answer = served.send(event("late"))
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(answer.headers["retry-after"]) <= 7
    assert served.sign(event("late")).status_code == 429
    assert served.stored() == [f"e{n}" for n in range(5)]


def test_a_stream_is_slowed_down_and_not_refused(serve: Serve) -> None:
    served = serve(api={"events_per_s": 400, "burst": 100})
    began = time.monotonic()
    body = b"\n".join(json.dumps(event(f"e{n}")).encode() for n in range(300))
    assert served.send(body, NDJSON).status_code == 202
    assert time.monotonic() - began > 0.2
    assert len(served.stored()) == 300


def test_nobody_is_taken_from_while_too_many_events_wait(serve: Serve) -> None:
    served = serve(api={"max_backlog": 3})
    assert served.send([event(f"e{n}") for n in range(4)], BATCHED).status_code == 202
    time.sleep(1.1)  # the look before may be a second old
    answer = served.send(event("more"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    with served.parts.store.begin() as tx:
        tx._connection.execute(sa.update(tables.event).values(fold_at=None))
    time.sleep(1.1)
    assert served.send(event("more")).status_code == 202


def test_validate_only_stores_nothing_and_says_what_would_be(served: Served) -> None:
    served.send(event("known"))
    before = served.audit()
    other = event("known", "E2")
    answer = served.send([event("e1"), {}, event("known"), other], BATCHED, validate="only")
    assert answer.status_code == 200
    good, bad, again, taken = answer.json()["results"]
    said = {
        "type": "hirewire.person.changed",
        "subject": "E1001",
        "time": 1769851800.0,
        "attributes": ["given_name"],
    }
    assert good == {"id": "e1", "status": "accepted", "event": said}
    assert (bad["status"], bad["pointer"]) == ("refused", "/source")
    assert again["status"] == "accepted"
    assert (taken["status"], taken["pointer"]) == ("refused", "/id")
    lines = served.send(json.dumps(event("e1")).encode() + b"\n{", NDJSON, validate="only")
    assert (lines.status_code, len(lines.text.splitlines())) == (200, 2)
    assert (served.stored(), served.audit()) == (["known"], before)


def test_an_id_used_before_for_another_body_is_refused(served: Served) -> None:
    assert served.send(event("e1")).status_code == 202
    answer = served.send(event("e1", "E2"))
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/id")


def test_a_sender_that_hangs_up_leaves_no_trace_of_a_half_line(served: Served) -> None:
    def pieces() -> Iterator[bytes]:
        yield json.dumps(event("e1")).encode()[:-5]
        raise ConnectionAbortedError

    with pytest.raises(requests.ConnectionError):
        served.send(pieces(), NDJSON)
    assert served.send(event("e2")).status_code == 202
    assert served.stored() == ["e2"]
