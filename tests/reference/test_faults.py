"""Each kind of fault over real HTTP: what the client sees, what the database says afterwards."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.reference.conftest import Api

ANNA = "/admin/users/2/"


def scripted(api: Api, kind: str, **more: Any) -> None:
    fault = {"kind": kind, **more}
    api.target.faults([{"method": "PATCH", "match": {"username": "anna.berg"}, "fault": fault}])


def first_name(api: Api) -> str:
    name: str = api.target.users()["anna.berg"]["first_name"]
    return name


def last_write(api: Api) -> dict[str, Any]:
    return api.target.writes()[-1]


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        threading.Event().wait(0.02)
    return condition()


def test_status_answers_without_running_the_application(django_admin: Api) -> None:
    scripted(django_admin, "status", status=503, headers={"Retry-After": "7"}, body={"detail": "busy"})
    answer = django_admin.patch(ANNA, {"first_name": "Changed"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json() == {"detail": "busy"}
    assert first_name(django_admin) == "Anna"
    assert not last_write(django_admin)["applied"]


def test_status_with_effect_hides_that_the_write_happened(django_admin: Api) -> None:
    scripted(django_admin, "status", status=500, effect=True)
    assert django_admin.patch(ANNA, {"first_name": "Changed"}).status_code == 500
    assert first_name(django_admin) == "Changed"
    assert (last_write(django_admin)["status"], last_write(django_admin)["applied"]) == (500, True)


def test_status_204_has_no_body_and_can_come_after_the_effect(django_admin: Api) -> None:
    scripted(django_admin, "status", status=204, effect=True)
    answer = django_admin.patch(ANNA, {"first_name": "Silent"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert first_name(django_admin) == "Silent"


def test_delay_waits_before_the_effect_and_then_answers(django_admin: Api) -> None:
    scripted(django_admin, "delay", seconds=0.3)
    started = time.monotonic()
    assert django_admin.patch(ANNA, {"first_name": "Slow"}).json()["first_name"] == "Slow"
    assert time.monotonic() - started >= 0.3


def test_drop_before_resets_and_nothing_happened(django_admin: Api) -> None:
    scripted(django_admin, "drop_before")
    with pytest.raises(requests.ConnectionError, match="reset"):
        django_admin.patch(ANNA, {"first_name": "Lost"})
    assert first_name(django_admin) == "Anna"
    assert (last_write(django_admin)["status"], last_write(django_admin)["applied"]) == (None, False)


def test_drop_after_resets_and_it_happened(django_admin: Api) -> None:
    scripted(django_admin, "drop_after")
    with pytest.raises(requests.ConnectionError, match="reset"):
        django_admin.patch(ANNA, {"first_name": "Kept"})
    assert first_name(django_admin) == "Kept"
    assert (last_write(django_admin)["status"], last_write(django_admin)["applied"]) == (None, True)


def test_cut_in_the_body_ends_the_answer_in_its_middle(django_admin: Api) -> None:
    scripted(django_admin, "cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        django_admin.patch(ANNA, {"first_name": "Half"})
    assert first_name(django_admin) == "Half"


def test_cut_in_the_headers_looks_like_success_with_an_empty_body(django_admin: Api) -> None:
    scripted(django_admin, "cut", at="headers")
    answer = django_admin.patch(ANNA, {"first_name": "Headless"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert first_name(django_admin) == "Headless"


def test_trickle_sends_the_answer_byte_by_byte(django_admin: Api) -> None:
    scripted(django_admin, "trickle", seconds=0.4)
    started = time.monotonic()
    assert django_admin.patch(ANNA, {"first_name": "Drip"}).json()["first_name"] == "Drip"
    assert time.monotonic() - started >= 0.35


def test_trickle_passes_a_read_timeout_shorter_than_the_answer(django_admin: Api) -> None:
    scripted(django_admin, "trickle", seconds=1.5)
    assert django_admin.patch(ANNA, {"first_name": "Drip"}, timeout=0.7).status_code == 200


def test_html_puts_a_page_where_json_was_due(django_admin: Api) -> None:
    scripted(django_admin, "html")
    answer = django_admin.patch(ANNA, {"first_name": "Page"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert first_name(django_admin) == "Anna"


def test_redirect_leads_to_a_login_page(django_admin: Api) -> None:
    scripted(django_admin, "redirect")
    answer = django_admin.patch(ANNA, {"first_name": "Elsewhere"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/")
    assert first_name(django_admin) == "Anna"


def test_empty_answers_success_without_a_body(django_admin: Api) -> None:
    scripted(django_admin, "empty")
    answer = django_admin.patch(ANNA, {"first_name": "Mute"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert first_name(django_admin) == "Mute"


def test_late_effect_happens_after_the_connection_is_gone(django_admin: Api) -> None:
    scripted(django_admin, "late_effect", seconds=0.8, hold_s=0.1)
    with pytest.raises(requests.ConnectionError):
        django_admin.patch(ANNA, {"first_name": "Late"})
    assert django_admin.get(ANNA).json()["first_name"] == "Anna"
    assert eventually(lambda: first_name(django_admin) == "Late")
    assert eventually(lambda: bool(last_write(django_admin)["applied"]))


def test_late_effect_holds_a_client_until_its_own_timeout(django_admin: Api) -> None:
    scripted(django_admin, "late_effect", seconds=0.8, hold_s=0.7)
    with pytest.raises(requests.ReadTimeout):
        django_admin.patch(ANNA, {"first_name": "Late"}, timeout=0.2)
    assert eventually(lambda: first_name(django_admin) == "Late")


def test_a_reset_ends_what_was_still_to_come(django_admin: Api) -> None:
    scripted(django_admin, "late_effect", seconds=0.4, hold_s=0.0)
    with pytest.raises(requests.ConnectionError):
        django_admin.patch(ANNA, {"first_name": "Ghost"})
    django_admin.target.reset()
    assert not eventually(lambda: first_name(django_admin) == "Ghost", seconds=0.8)
    assert django_admin.target.log() == []


def test_a_fault_of_one_account_leaves_the_others_alone(django_admin: Api) -> None:
    scripted(django_admin, "drop_before")
    assert django_admin.patch("/admin/users/3/", {"first_name": "Fine"}).status_code == 200
    with pytest.raises(requests.ConnectionError):
        django_admin.patch(ANNA, {"first_name": "Lost"})


def test_the_connection_survives_an_answer_without_fault(django_admin: Api) -> None:
    host, _, port = django_admin.target.base_url.removeprefix("http://").partition(":")
    head = f"GET {ANNA} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Token {django_admin.target.token}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        stream = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(head.encode())
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := stream.readline()) != b"\r\n":
                name, _, value = line.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            assert b'"anna.berg"' in stream.read(length)
        stream.close()


def test_hang_gives_no_answer_and_nothing_happened(django_admin: Api) -> None:
    scripted(django_admin, "hang", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        django_admin.patch(ANNA, {"first_name": "Lost"})
    assert first_name(django_admin) == "Anna"
    assert not last_write(django_admin)["applied"]


def test_stall_gives_no_answer_and_it_happened(django_admin: Api) -> None:
    scripted(django_admin, "stall", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        django_admin.patch(ANNA, {"first_name": "Silent"})
    assert first_name(django_admin) == "Silent"
    entry = last_write(django_admin)
    assert (entry["applied"], entry["turn"], entry["applied_at"] >= entry["at"]) == (True, 1, True)


def test_an_answer_can_quote_our_credential_and_ask_to_wait_until_a_date(django_admin: Api) -> None:
    scripted(django_admin, "status", status=429, retry_at_s=60, echo=True, label="greedy")
    answer = django_admin.patch(ANNA, {"first_name": "Changed"})
    assert django_admin.target.token in answer.text
    assert answer.headers["Retry-After"].endswith(" GMT")
    assert last_write(django_admin)["fault"] == "greedy"


def test_the_weather_strikes_by_chance_and_is_counted_until_it_clears(django_admin: Api) -> None:
    chance = {"share": 1.0, "methods": ["PATCH"], "fault": {"kind": "status", "status": 503}}
    django_admin.target.weather(1, [chance])
    assert django_admin.get(ANNA).status_code == 200
    assert django_admin.patch(ANNA, {"first_name": "Changed"}).status_code == 503
    assert django_admin.target.counts() == (2, {"status": 1})
    django_admin.target.clear_faults()
    assert django_admin.patch(ANNA, {"first_name": "Changed"}).status_code == 200
