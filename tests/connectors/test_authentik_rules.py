"""What only authentik does, against the reference authentik: each rule of the connector is a test's name."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.authentik import AuthentikConnector
from connectors.sdk.contract import ConnectorConfig, Credential, Timeouts
from connectors.sdk.fields import encode, same
from connectors.sdk.model import Json, OutcomeKind
from tests.connectors.test_authentik_outcomes import connector as bare
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, TOKEN, ReferenceTarget

FUTURE = "2999-12-31T23:00:00Z"
PAST = "2001-01-01T00:00:00Z"
EVE: dict[str, Any] = {"id": 10, "username": "eve", "name": "Eve Moss", "attributes": {"b": {"y": 1, "x": 2}}}
SYNC = {"id": 20, "username": "sync", "rights": ["view_user", "change_user"]}
SHORT = Timeouts(connect_s=2.0, read_s=0.3, deadline_s=0.6)
GROUPS = "/api/v3/core/groups/"


def seed(target: ReferenceTarget, *, active: bool = True, **token: str) -> None:
    users = [*DEFAULT_USERS, EVE, {**SYNC, "is_active": active}]
    target.reset(users, [*DEFAULT_TOKENS, {"token": "of-sync", "username": "sync", **token}])


def at(target: ReferenceTarget, token: str = TOKEN, timeouts: Timeouts | None = None) -> AuthentikConnector:
    def credential() -> Credential:
        return Credential("bearer", token)

    config = ConnectorConfig("here", target.base_url, credential, timeouts=timeouts or Timeouts())
    return AuthentikConnector(config)


# --- tokens -------------------------------------------------------------------------------------------------


def test_a_token_that_expired_is_noticed_and_named(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target, expires=FUTURE)
    known = at(authentik_target, "of-sync")
    assert known.check().expires_at == FUTURE
    seed(authentik_target, expires=PAST)
    for outcome in (
        known.patch("10", {"name": "Eva"}),
        known.fetch("10"),
        known.probe(),
        known.scan(None).outcome,
    ):
        assert outcome.kind is OutcomeKind.SUSPECT
        assert f"It is sync's and was accepted before; it was to expire at {FUTURE}" in outcome.detail


def test_an_owner_who_was_deactivated_is_noticed_and_named(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    known = at(authentik_target, "of-sync")
    assert known.check().expires_at == "never"
    seed(authentik_target, active=False)
    outcome = known.fetch("10")
    assert outcome.kind is OutcomeKind.SUSPECT
    assert "does not expire: see whether it was deleted, or sync deactivated" in outcome.detail
    assert known.probe().kind is OutcomeKind.SUSPECT


def test_of_a_token_whose_end_nobody_knew_every_reason_is_named(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    users = [*DEFAULT_USERS, {**SYNC, "is_superuser": True}]
    two = [{"token": name, "username": "sync"} for name in ("of-sync", "another")]
    authentik_target.reset(users, two)
    known = at(authentik_target, "of-sync")
    assert known.check().expires_at is None
    authentik_target.reset(users, two[1:])
    assert "see whether it expired or was deleted, or sync was deactivated" in known.probe().detail


def test_of_another_token_nothing_is_said_that_was_known_of_the_one_before(
    authentik_target: ReferenceTarget,
) -> None:
    seed(authentik_target)
    given = ["of-sync"]
    config = ConnectorConfig("here", authentik_target.base_url, lambda: Credential("bearer", given[0]))
    known = AuthentikConnector(config)
    known.check()
    given[0] = "mistyped"
    assert known.probe().detail.endswith("or its owner is deactivated")


# --- pages that move ----------------------------------------------------------------------------------------


def test_a_list_of_groups_that_moved_while_it_was_read_lets_no_write_out(httpserver: HTTPServer) -> None:
    """One group before the border goes: the second page begins one too late, and a name seems unknown."""

    def pages(request: Request) -> Response:
        number = int(request.args["page"])
        names = [{"pk": f"{number}-{index}", "name": f"Group {number}.{index}"} for index in range(2)]
        numbers = {"next": 2 if number == 1 else 0, "count": 5}
        body = {"pagination": numbers, "results": names}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request(GROUPS).respond_with_handler(pages)
    outcome = bare(httpserver.url_for("")).patch("7", {"groups": ["Editors"]})
    assert (outcome.kind, outcome.detail) == (
        OutcomeKind.AMBIGUOUS,
        "4 of 5 names seen: the list moved meanwhile",
    )
    assert {request.method for request, _ in httpserver.log} == {"GET"}


# --- what comes back different ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("name", "  Eva Moss ", "Eva Moss"),
        ("last_login", "2026-05-06T02:00:00+02:00", "2026-05-06T00:00:00Z"),
        ("last_login", "2026-05-06T00:00:00.120Z", "2026-05-06T00:00:00.120000Z"),
        ("attributes.b", {"x": 2, "longer": [1, {"z": 0, "a": None}], "y": 1}, None),
    ],
)
def test_trimming_time_zones_and_the_order_of_keys_make_no_difference(
    authentik_target: ReferenceTarget, name: str, sent: Json, stored: str | None
) -> None:
    """What a person's data may hold, and what authentik makes of it."""
    seed(authentik_target)
    known = at(authentik_target)
    outcome = known.patch("10", {name: known.encode(name, sent)})
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.APPLIED, ())
    field = known.descriptor.field(name)
    read = known.fetch("10").record
    assert field is not None
    assert read is not None
    assert same(field, encode(field, sent), read[name])
    if stored is not None:
        assert read[name] == stored


def test_what_differs_in_more_than_its_form_is_not_taken_for_equal() -> None:
    field = AuthentikConnector.descriptor.field("attributes.b")
    assert field is not None
    different: list[tuple[Json, Json]] = [([1, 2], [2, 1]), (1, True), ("a", "a "), ({"a": None}, {})]
    assert [same(field, one, other) for one, other in different] == [False] * 4


# --- a write that lands later -------------------------------------------------------------------------------


def test_a_write_that_timed_out_and_lands_later_is_ambiguous_until_a_read_shows_it(
    authentik_target: ReferenceTarget,
) -> None:
    seed(authentik_target)
    known = at(authentik_target, timeouts=SHORT)
    known.fetch("10")
    late = {"kind": "late_effect", "seconds": 1.6, "hold_s": 0.8}
    authentik_target.faults([{"method": "PATCH", "fault": late}])
    assert known.patch("10", {"name": "Eva"}).kind is OutcomeKind.AMBIGUOUS
    before = known.fetch("10").record
    assert before is not None
    assert before["name"] == "Eve Moss"
    limit = time.monotonic() + 10
    while authentik_target.users()["eve"]["name"] != "Eva":
        assert time.monotonic() < limit
        time.sleep(0.1)
    after = known.fetch("10").record
    assert after is not None
    assert after["name"] == "Eva"
    assert len(authentik_target.writes()) == 1
