"""A declared connector finds and lists everybody, whichever way its API lists, and knows its own owner."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sdk.contract import Connector, ConnectorConfig, Credential
from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.testing import Account
from connectors.sdk.testing.memory import MemoryServer
from tests.kit.kinds import KINDS

PEOPLE = 7  # three pages


class Ground:
    """A connector, its server and what it holds."""

    def __init__(self, server: MemoryServer, style: type) -> None:
        self.server = server
        self.style = style
        people = [
            Account(f"p{number}", {"login": f"p{number}", "staff_number": number, "teams": ["Editors"]})
            for number in range(PEOPLE)
        ]
        self.ids = server.reset(people)

    def connector(self, **options: Json) -> Connector:
        return self.by(self.server.credential(), **options)

    def by(self, credential: Credential, **options: Json) -> Connector:
        config = ConnectorConfig(
            "here", self.server.base_url, lambda: credential, options={**self.server.options, **options}
        )
        made: Connector = self.style(config)
        return made


@pytest.fixture(params=sorted(KINDS))
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    style, server = KINDS[request.param]
    with server() as running:
        yield Ground(running, style)


def test_everybody_is_listed_once_on_page_after_page(ground: Ground) -> None:
    connector = ground.connector()
    listed: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        page = connector.scan(cursor)
        assert page.outcome.kind is OutcomeKind.OBSERVED
        listed += [remote_id for remote_id, _ in page.records]
        cursor, pages = page.cursor, pages + 1
    assert sorted(listed) == sorted(ground.server.rows())
    assert len(listed) == PEOPLE + 1


def test_a_person_on_the_last_page_is_found(ground: Ground) -> None:
    found = ground.connector().find({"login": ("p6", "gone")})
    assert [match.remote_id for match in found.matches] == [ground.ids["p6"]]
    assert found.matches[0].record["teams"] == ["Editors"]


def test_nobody_is_said_only_after_everybody_was_seen(ground: Ground) -> None:
    found = ground.connector().find({"given_name": ("Nobody",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.OBSERVED, ())


def test_a_search_that_was_cut_short_never_says_nobody() -> None:
    style, server = KINDS["linked"]
    with server() as running:
        connector = Ground(running, style).connector(find_page_cap=2)
        assert connector.find({"given_name": ("Nobody",)}).outcome.kind is OutcomeKind.AMBIGUOUS


def test_pages_smaller_than_declared_are_no_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that gives two accounts a page where three were asked for would hide every third."""
    style, server = KINDS["numbered"]
    whole = server.listing

    def short(self: MemoryServer, rows: list, query: dict, url: str) -> Json:  # type: ignore[type-arg]
        page = whole(self, rows, query, url)
        return {**page, "people": page["people"][:2]}  # type: ignore[call-overload,dict-item,index]

    monkeypatch.setattr(server, "listing", short)
    with server() as running:
        page = Ground(running, style).connector().scan(None)
    assert page.outcome.kind is OutcomeKind.AMBIGUOUS
    assert "2 accounts on page 1 of pages of 3, 8 in all" in page.outcome.detail


def test_superusers_are_asked_for_or_looked_for(ground: Ground) -> None:
    connector = ground.connector()
    seen: list[tuple[str, object]] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        page = connector.superusers(cursor)
        seen += [(remote_id, record["admin"]) for remote_id, record in page.records]
        cursor, pages = page.cursor, pages + 1
    assert [remote_id for remote_id, admin in seen if admin] == [
        remote_id for remote_id, row in ground.server.rows().items() if row["login"] == "hirewire"
    ]


def test_an_account_is_changed_created_demoted_and_deleted(ground: Ground) -> None:
    connector = ground.connector()
    made = connector.create({"login": "new", "teams": ["Operations"]})
    assert made.kind is OutcomeKind.APPLIED
    assert made.remote_id is not None
    changed = connector.patch(made.remote_id, {"given_name": "Änne", "admin": True})
    assert changed.kind is OutcomeKind.APPLIED
    assert ground.server.rows()[made.remote_id]["teams"] == ["Operations"]
    assert connector.demote(made.remote_id).kind is OutcomeKind.APPLIED
    assert ground.server.rows()[made.remote_id]["admin"] is False
    assert connector.delete(made.remote_id).kind is OutcomeKind.APPLIED
    assert made.remote_id not in ground.server.rows()


def test_what_the_descriptor_does_not_offer_is_refused_with_nothing_sent() -> None:
    style, server = KINDS["linked"]

    class Modest(style):  # type: ignore[misc,valid-type]
        descriptor = style.descriptor.__class__(
            "modest", "Modest", "a document", style.descriptor.fields, "login", {}
        )

    with server() as running:
        ground = Ground(running, Modest)
        before = ground.server.rows()
        connector, remote_id = ground.connector(), ground.ids["p1"]
        outcomes = (
            connector.create({"login": "new"}),
            connector.demote(remote_id),
            connector.delete(remote_id),
        )
        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.REJECTED] * 3
        assert all("nothing was sent" in outcome.detail for outcome in outcomes)
        assert ground.server.rows() == before


def test_a_probe_is_one_read_that_says_that_all_is_well(ground: Ground) -> None:
    assert ground.connector().probe().kind is OutcomeKind.OBSERVED
    assert ground.by(Credential("bearer", "wrong")).probe().kind is OutcomeKind.SUSPECT


def test_the_check_says_whose_token_it_is_and_what_it_may_do() -> None:
    style, server = KINDS["linked"]
    with server() as running:
        report = Ground(running, style).connector().check()
        assert (report.healthy, report.owner, report.rights) == (True, "hirewire", ("admin",))
        assert report.owner_id in running.rows()


def test_an_owner_without_the_right_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    style, server = KINDS["linked"]
    monkeypatch.setattr(server, "me", {**server.me, "admin": False})
    with server() as running:
        report = Ground(running, style).connector().check()
    assert not report.healthy
    assert report.problems[0].startswith("hirewire, who owns the token, has none of the rights admin")


def test_a_wrong_token_is_told_apart_from_a_wrong_address(ground: Ground) -> None:
    report = ground.by(Credential("bearer", "wrong")).check()
    assert (report.reachable, report.healthy) == (True, False)
    assert "refuses our credential (401)" in report.problems[0]


def test_an_option_that_the_style_does_not_have_is_refused(ground: Ground) -> None:
    with pytest.raises(ValueError, match=r"options\.group is not known; there are teams, find_page_cap"):
        ground.connector(group={"Editors": 3})


def test_with_a_password_the_owner_is_looked_up_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    style, server = KINDS["numbered"]
    credential = Credential("basic", "s3cret", "hirewire")
    monkeypatch.setattr(server, "credential", lambda _self: credential)
    with server() as running:
        report = Ground(running, style).connector().check()
        assert (report.healthy, report.owner) == (True, "hirewire")
        assert running.rows()[report.owner_id or ""]["admin"] is True
