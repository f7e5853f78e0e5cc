"""The control API: seeding, the journal, the raw rows, and its own bad input."""

from __future__ import annotations

import requests

from tests.reference.conftest import Api


def control(api: Api, method: str, name: str, body: str | None = None) -> requests.Response:
    url = f"{api.target.base_url}/__control__/{name}"
    return requests.request(method, url, data=body, timeout=10)


def test_reset_wipes_and_seeds_accounts_with_their_ids(awx: Api) -> None:
    awx.target.reset(users=[{"id": 41, "username": "solo", "email": "solo@example.com"}], tokens=[])
    assert [(row["id"], row["username"]) for row in awx.target.rows()] == [(41, "solo")]
    assert awx.get("/api/v2/me/").status_code == 401


def test_reset_starts_ids_anew(awx: Api) -> None:
    made = awx.post("/api/v2/users/", {"username": "first", "password": "x"}).json()["id"]
    awx.target.reset()
    assert awx.post("/api/v2/users/", {"username": "second", "password": "x"}).json()["id"] == made


def test_reset_clears_faults_and_journal(awx: Api) -> None:
    awx.target.faults([{"times": None, "fault": {"kind": "status", "status": 500}}])
    assert awx.get("/api/v2/ping/").status_code == 500
    awx.target.reset()
    assert awx.target.log() == []
    assert awx.get("/api/v2/ping/").status_code == 200


def test_faults_can_be_cleared_alone(awx: Api) -> None:
    awx.target.faults([{"times": None, "fault": {"kind": "status"}}])
    awx.target.clear_faults()
    assert awx.get("/api/v2/ping/").status_code == 200


def test_the_journal_tells_who_asked_what_and_what_came_of_it(awx: Api) -> None:
    awx.get("/api/v2/users/2/?format=json")
    awx.patch("/api/v2/users/2/", {"first_name": "Ann"})
    awx.patch("/api/v2/users/2/", {"email": "not an address"})
    read, write, refused = awx.target.log()
    assert [read["n"], write["n"], refused["n"]] == [1, 2, 3]
    assert (read["path"], read["query"], read["applied"]) == ("/api/v2/users/2/", "format=json", False)
    assert (write["token_owner"], write["body"], write["status"]) == ("admin", {"first_name": "Ann"}, 200)
    assert (write["applied"], write["fault"]) == (True, None)
    assert (refused["status"], refused["applied"]) == (400, False)
    assert read["at"] <= write["at"] <= refused["at"]


def test_the_journal_keeps_control_requests_out(awx: Api) -> None:
    awx.target.users()
    assert awx.target.log() == []


def test_rows_show_the_database_and_not_the_api(awx: Api) -> None:
    assert awx.target.users()["anna.berg"]["is_active"] is True
    assert "is_active" not in awx.get("/api/v2/users/2/").json()


def test_bad_control_input_is_named(awx: Api) -> None:
    for name, body in (
        ("faults", '[{"fault": {"kind": "nope"}}]'),
        ("reset", '{"users": [{"nope": 1}]}'),
        ("reset", '{"tokens": [{"token": "t", "username": "nobody"}]}'),
        ("reset", "{"),
    ):
        answer = control(awx, "POST", name, body)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert control(awx, "GET", "nothing").status_code == 404


def test_a_refused_reset_leaves_the_accounts_as_they_were(awx: Api) -> None:
    before = awx.target.users().keys()
    control(awx, "POST", "reset", '{"users": [{"username": "x"}, {"nope": 1}]}')
    assert awx.target.users().keys() == before
