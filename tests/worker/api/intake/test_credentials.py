"""A sender proves which source it is, by a key or a signature; whatever is wrong, the answer is the same."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests

from tests.worker.api.intake.serving import (
    BATCHED,
    KEY,
    NDJSON,
    OTHER_KEY,
    SECRET,
    SOURCES,
    STRUCTURED,
    Served,
    event,
    sha256,
    signed,
)

if TYPE_CHECKING:
    from tests.worker.api.intake.conftest import Serve

NEW = "whsec_" + base64.b64encode(b"another secret, for after the change").decode()
BODY = json.dumps(event("e1")).encode()


def denied(served: Served) -> tuple[int, dict[str, Any], str]:
    """What a stranger gets."""
    return shape(served.send(BODY, key="nonsense"))


def shape(answer: requests.Response) -> tuple[int, dict[str, Any], str]:
    return answer.status_code, answer.json(), answer.headers["www-authenticate"]


def with_signature(change: Callable[[str], str]) -> dict[str, str]:
    headers = signed(BODY)
    return {**headers, "webhook-signature": change(headers["webhook-signature"])}


def test_a_key_and_a_signature_open_the_same_door(served: Served) -> None:
    assert served.send(event("e1")).status_code == 202
    assert served.sign(event("e2")).status_code == 202
    assert served.sign([event("e3")], BATCHED).status_code == 202
    assert served.sign(b"\n".join([BODY.replace(b"e1", b"e4"), BODY.replace(b"e1", b"e5")]), NDJSON).ok
    assert served.stored() == ["e1", "e2", "e3", "e4", "e5"]
    assert {record["actor"] for record in served.audit("event:accept")} == {"source:hr"}


def wrong() -> list[dict[str, str]]:
    """Made when they are sent: a time that is wrong today is right in six minutes."""
    return [
        {},
        {"authorization": ""},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": f"Bearer {sha256(KEY)}"},
        {"authorization": "Bearer nonsense", **signed(BODY)},
        signed(BODY + b" "),
        signed(BODY, secret=NEW),
        signed(BODY, at=time.time() - 400),
        signed(BODY, at=time.time() + 400),
        {**signed(BODY), "webhook-id": "msg_2"},
        {**signed(BODY), "webhook-timestamp": "nan"},
        {**signed(BODY), "webhook-timestamp": str(int(time.time()) - 1)},
        {**signed(BODY), "webhook-id": ""},
        with_signature(lambda text: text[:-1]),
        with_signature(lambda text: text[:20]),
        with_signature(lambda text: text[:3]),
        with_signature(lambda text: "v1," + base64.b64encode(base64.b64decode(text[3:])[:16]).decode()),
        with_signature(lambda text: text.replace("v1,", "v1a,")),
        with_signature(lambda _: ""),
        with_signature(lambda _: "v1,"),
        with_signature(lambda text: text + "!"),
    ]


def test_whatever_is_wrong_the_answer_is_the_same(served: Served) -> None:
    expected = denied(served)
    for headers in wrong():
        assert shape(served.send(BODY, key=None, headers=headers, source="hr")) == expected, headers
    assert served.stored() == []


def test_a_source_without_that_secret_is_closed_like_one_that_is_not_there(served: Served) -> None:
    expected = denied(served)
    for source in ("closed", "payroll", "nobody", "", "HR", "hr\x00"):
        assert shape(served.sign(BODY, source=source)) == expected, source
        assert shape(served.send(BODY, source=source)) == expected, source


def test_one_good_signature_among_others_is_enough(served: Served) -> None:
    headers = with_signature(lambda text: f"v1a,AAAA nonsense v1,{'A' * 43}= {text}")
    assert served.send(BODY, key=None, headers=headers, source="hr").status_code == 202


def test_a_header_that_is_said_twice_proves_nothing(served: Served) -> None:
    headers = [*signed(BODY).items(), *signed(BODY).items(), ("content-type", STRUCTURED)]
    raw = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    raw.putrequest("POST", "/v1/events?source=hr")
    for name, value in [*headers, ("content-length", str(len(BODY)))]:
        raw.putheader(name, value)
    raw.endheaders(BODY)
    assert raw.getresponse().status == 401
    raw.close()


def test_an_old_secret_counts_until_its_end_and_a_new_one_from_its_beginning(serve: Serve) -> None:
    past, future = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    secrets = {
        "now": {"secret": SECRET, "not_before": past, "not_after": future},
        "soon": {"secret": NEW, "not_before": future},
    }
    keys = {"old": {"sha256": sha256(KEY), "not_after": past}}
    served = serve(sources={"hr": {**SOURCES["hr"], "secrets": secrets, "keys": keys}})
    assert served.sign(event("e1")).status_code == 202
    assert served.sign(event("e2"), secret=NEW).status_code == 401
    assert served.send(event("e3")).status_code == 401
    assert served.stored() == ["e1"]


def test_two_secrets_count_at_once_while_a_sender_changes_over(serve: Serve) -> None:
    secrets = {"old": {"secret": SECRET}, "new": {"secret": NEW}}
    served = serve(sources={"hr": {**SOURCES["hr"], "secrets": secrets}})
    assert served.sign(event("e1")).status_code == 202
    assert served.sign(event("e2"), secret=NEW).status_code == 202


def test_a_source_speaks_for_nobody_else(served: Served) -> None:
    answer = served.send(event("e1"), key=OTHER_KEY)
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/source")
    mixed = [event("e2", source="https://payroll.example.com", data={"title": "Cook"}), event("e3")]
    assert served.send(mixed, BATCHED, OTHER_KEY).status_code == 202
    assert served.stored() == ["e2"]


def test_a_source_speaks_only_about_its_subjects_and_types(serve: Serve) -> None:
    narrow = {**SOURCES["hr"], "subjects": "E[0-9]+", "only_types": ["hirewire.person.changed"]}
    served = serve(sources={"hr": narrow})
    assert served.send(event("e1", "E1")).status_code == 202
    assert served.send(event("e2", "E1x")).json()["pointer"] == "/subject"
    assert served.send(event("e3", "E1", type="hirewire.person.left")).json()["pointer"] == "/type"
    assert served.stored() == ["e1"]


def test_a_signature_does_not_vouch_for_headers(served: Served) -> None:
    """Whoever catches a signed body could say another person, and another type, in the headers."""
    raw = b"{}"
    headers = {**signed(raw), "ce-specversion": "1.0", "ce-id": "e1", "ce-subject": "E1"}
    answer = served.send(raw, "application/json", None, headers, source="hr")
    assert answer.status_code == 415
    assert served.stored() == []


def test_a_delivery_that_is_sent_again_is_known_by_its_id(served: Served) -> None:
    headers = signed(BODY)
    first = served.send(BODY, key=None, headers=headers, source="hr")
    assert served.send(BODY, key=None, headers=headers, source="hr").json() == first.json()
    assert served.stored() == ["e1"]


def test_refused_senders_are_recorded_so_many_a_minute(serve: Serve) -> None:
    served = serve(api={"audited_refusals": 3})
    for n in range(10):
        served.send(BODY, key=f"try{n}", source="hr")
    records = served.audit("sender:")
    assert len(records) == 3
    assert {record["why"] for record in records} == {"key"}
    assert {record["source"] for record in records} == {"hr"}
    assert "try" not in json.dumps(records)


def test_nothing_a_stranger_sends_is_kept(served: Served) -> None:
    served.send(b'{"secret": "canary"}', key="stranger", source="canary")
    assert "canary" not in json.dumps(served.audit())


def test_only_a_key_of_the_sender_tells_where_an_event_is(served: Served) -> None:
    served.send(event("a/b c"))
    assert served.ask("a%2Fb%20c").json()["folding"] == "waiting"
    assert served.ask("a%2Fb%20c", OTHER_KEY).status_code == 404
    assert served.ask("e%00").status_code == 404
    assert shape(served.ask("a%2Fb%20c", None)) == denied(served)
