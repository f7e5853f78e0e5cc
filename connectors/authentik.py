"""authentik users: `PATCH /api/v3/core/users/{id}/`, as authentik 2025.12.4 was observed to behave.

`attributes` and `groups` are replaced whole by this API: our keys are merged into what a read just showed,
and names of groups become ids. A failure of the server itself on a write looks like a 405 and is
*ambiguous*; everything about tokens and rights is a 403. Service accounts are left alone: whose type is not
known yet is read before the first change, and `internal_service_account`, which no write can undo, is
never sent. Never PUT (it empties groups), never an `Accept-Language` (messages follow it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar, Final

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.answers import Answer
from connectors.sdk.containers import BELOW, Containers, attributes_in, nameable, named_ids
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.diagnosis import failed_report
from connectors.sdk.directory import Directory
from connectors.sdk.expiry import known_of, sole_expiry
from connectors.sdk.fields import Field, FieldType, Null
from connectors.sdk.matching import matches_in, searchable
from connectors.sdk.model import CheckReport, Found, Match, Outcome, OutcomeKind, Page, Record
from connectors.sdk.names import NameIds
from connectors.sdk.numbered import NumberedListing
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient
from connectors.sdk.standing import CHANGE, VIEW, standing
from connectors.sdk.style import RestStyle
from connectors.sdk.text import one_line

DOCUMENT: Final = "authentik users API, PATCH /api/v3/core/users/{id}/"
USERS: Final = "/api/v3/core/users/"
ME: Final = f"{USERS}me/"
GROUPS: Final = "/api/v3/core/groups/"
VERSION: Final = "/api/v3/admin/version/"
TOKENS: Final = "/api/v3/core/tokens/"
ROOT: Final = (
    "set `base_url` to the server's root, like https://authentik.example.com, without /api/v3. If it is that,"
    " something in front of the server takes the slash at the end of addresses away."
)
PAGE_SIZE: Final = 100  # authentik's own cap
FIND_PAGES: Final = 10  # a value shared by about 1,000 accounts identifies nobody
KNOWN_TYPES: Final = 100_000  # accounts whose type is remembered
SERVICE: Final = frozenset({"service_account", "internal_service_account"})
MARK: Final = re.compile(r"#([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
BAD_TOKEN: Final = re.compile(r"token invalid|credentials were not provided", re.IGNORECASE)

LEFT_ALONE: Final = "service accounts are left alone; nothing was sent"
NO_DEMOTING: Final = "accounts are deactivated here, not demoted; nothing was sent"
UNSEARCHABLE: Final = "nothing to search by that this API can look up"
NEEDS: Final = (
    "our token's owner needs view_user and change_user; without view_user even a deleted account is 403"
)
BAD: Final = "the token is unknown, expired or no API token, or its owner is deactivated"
ONE_ANSWER: Final = (
    "authentik gives one answer to all of these. Activate the owner, or make a token with the intent `api`"
    " that does not expire, and set `credential`."
)
NO_BEARER: Final = (
    "authentik takes tokens only: set `credential.scheme` to `bearer`, with a token of the API."
)
NO_HEADER: Final = (
    "authentik saw no token although one was sent: have what stands in front of the server pass the header"
    " Authorization on."
)
NO_CHANGE: Final = (
    "may read the accounts but not change them: give a role of theirs the permission change_user."
)
NO_VIEW: Final = "may not read the accounts: give a role of theirs the permissions view_user and change_user."
NO_GROUPS: Final = "the groups cannot be listed: our token's owner needs the permission view_group"
PARTIAL: Final = "our token's owner sees only a part of the accounts: not found does not mean missing"
MASKED: Final = "status 405 without JSON hides a failure of the server itself: it may have been applied"


def _read_only(name: str, kind: FieldType) -> Field:
    return Field(name, kind, DOCUMENT, read_only=True)


FIELDS: Final = (
    Field("username", FieldType.TEXT, DOCUMENT, min_length=1, max_length=150, unique=True),
    Field("name", FieldType.TEXT, DOCUMENT, null_as=Null.EMPTY),
    Field("email", FieldType.TEXT, DOCUMENT, max_length=254, email=True, null_as=Null.EMPTY),
    Field("is_active", FieldType.BOOLEAN, DOCUMENT),
    Field("last_login", FieldType.DATETIME, DOCUMENT, null_as=Null.NULL),
    Field(
        "type",
        FieldType.TEXT,
        DOCUMENT,
        min_length=1,
        choices=("internal", "external", "service_account"),  # the fourth is a door that only closes
        privileged=True,
    ),
    Field("path", FieldType.TEXT, DOCUMENT, min_length=1, pattern=r"[^/]+(?:/[^/]+)*"),
    Field("groups", FieldType.NAME_SET, DOCUMENT, null_as=Null.EMPTY, privileged=True),
    Field("attributes.*", FieldType.JSON, DOCUMENT, null_as=Null.NULL),
    _read_only("pk", FieldType.INTEGER),
    _read_only("uuid", FieldType.TEXT),
    _read_only("uid", FieldType.TEXT),
    _read_only("is_superuser", FieldType.BOOLEAN),
    _read_only("avatar", FieldType.TEXT),
    _read_only("date_joined", FieldType.DATETIME),
    _read_only("last_updated", FieldType.DATETIME),  # moves on every write, also on one that changes nothing
    _read_only("password_change_date", FieldType.DATETIME),
)


class AuthentikConnector(RestStyle):
    """One authentik server; `base_url` is its root, without `/api/v3`.

    The option `groups` is a table of name = uuid, for names that the server gave to several groups.
    """

    descriptor: ClassVar[Descriptor] = Descriptor(
        style="authentik",
        title="authentik",
        document=DOCUMENT,
        fields=FIELDS,
        correlation="username",
        default_mapping={
            "username": "user_name",
            "name": "display_name || join_present([given_name, family_name], ' ')",
            "email": "email",
            "is_active": "active",
        },
        active_field="is_active",
        containers=frozenset({"groups"}),
        can_create=True,
        superuser_field="is_superuser",
        superuser_through=frozenset({"groups"}),  # only the server knows which of them make superusers
    )

    def __init__(self, config: ConnectorConfig) -> None:
        self._client = RestClient(config, request_id_header="x-authentik-id")
        self._names = NameIds("group", named_ids(config.options or {}, "groups", MARK), MARK)
        self._groups = Directory(self._client, self._names, GROUPS, {"include_users": "false"})
        self._accounts = self._calls({})
        self._listing = NumberedListing(
            self._client,
            self._accounts.fields,
            USERS,
            id_key="pk",
            page_size=PAGE_SIZE,
            dialect=Containers(self._names, {}),
        )
        self._serves: dict[str, bool] = {}  # remote id -> whether it is a service account
        self._accepted: tuple[object, str] | None = None  # a credential, and what its check told of it

    def fetch(self, remote_id: str) -> Outcome:
        """See `Connector.fetch`."""
        return self._seen(self._accounts.fetch(remote_id))

    def patch(
        self, remote_id: str, changes: Record, digests: Mapping[str, str] = MappingProxyType({})
    ) -> Outcome:
        """See `Connector.patch`. One write, after a read where attributes are to be merged."""
        del digests  # no field of this API is opaque
        refusal = self._accounts.refusal(remote_id, changes) or self._unnamed(
            "PATCH", f"{USERS}{remote_id}/", changes
        )
        if refusal is not None:
            return refusal
        attributes: Record = {}
        if remote_id not in self._serves or any(name.startswith(BELOW) for name in changes):
            outcome, attributes = self._read(remote_id)
            if outcome.kind is not OutcomeKind.OBSERVED:
                return outcome
        if self._serves.get(remote_id, False):
            return self._accounts.refused("PATCH", remote_id, {}, LEFT_ALONE)
        return self._written(self._calls(attributes).patch(remote_id, changes))

    def create(self, values: Record) -> Outcome:
        """See `Connector.create`. A name, which the API requires, is the user name where there is none."""
        named = {"name": values.get("username"), **values} if values else values
        refusal = self._unnamed("POST", USERS, named)
        return refusal or self._written(self._accounts.create(USERS, named))

    def demote(self, remote_id: str) -> Outcome:
        """Refused: an account of this API is deactivated instead."""
        return self._accounts.refused("PATCH", remote_id, {}, NO_DEMOTING)

    def probe(self) -> Outcome:
        """See `Connector.probe`. The credential is read anew."""
        self._client.refresh()
        return self._me()[1]

    def check(self) -> CheckReport:
        """See `Connector.check`: version, whose token, which rights, when it ends. Four reads at most."""
        self._client.refresh()
        answer, outcome, me = self._me()
        if me is None:
            return self._failed(answer, outcome)
        _, about = document_outcome(self._client.get(VERSION))
        version = about.get("version_current")
        report = CheckReport(
            reachable=True,
            healthy=True,
            version=version if isinstance(version, str) else None,
            owner=str(me.get("username")),
            owner_id=str(me.get("pk")),
        )
        report = self._entitled(report, is_superuser=me.get("is_superuser") is True)
        self._accepted = (self._client.session, known_of(report))
        return report

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`. Values are compared exactly, case included; `type` tells what was found."""
        values = {**searchable(self._accounts.fields, wanted), **nameable(wanted)}
        found: dict[str, Match] = {}
        outcome = Outcome(OutcomeKind.REJECTED, self._client.unsent("GET", USERS), detail=UNSEARCHABLE)
        for condition in _conditions(values):
            outcome, accounts = self._filtered(condition)
            if outcome.kind is not OutcomeKind.OBSERVED:
                return Found(outcome)
            found.update(matches_in(accounts, values))
        for match in found.values():
            self._note(match.record)
        nobody = not found and outcome.kind is OutcomeKind.OBSERVED
        return Found(self._nobody(outcome) if nobody else outcome, tuple(found.values()))

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`. The cursor tells how far the walk by ids has come."""
        page = self._listing.after(cursor, {"ordering": "pk"})
        return replace(page, outcome=self._explained(page.outcome))

    def superusers(self, cursor: str | None) -> Page:
        """See `Connector.superusers`: authentik filters by the groups that make superusers."""
        query = {"is_superuser": "true", "is_active": "true", "ordering": "pk"}
        page = self._listing.after(cursor, query)
        return replace(page, outcome=self._explained(page.outcome))

    def _calls(self, attributes: Record) -> AccountCalls:
        """Reading and writing, with these attributes to merge into."""
        dialect = Containers(self._names, attributes)
        return AccountCalls(self._client, self.descriptor, f"{USERS}{{id}}/", id_key="pk", dialect=dialect)

    def _read(self, remote_id: str) -> tuple[Outcome, Record]:
        """The account, and its attributes exactly as they are."""
        outcome, body = self._accounts.read(remote_id)
        outcome = self._seen(outcome)
        attributes = attributes_in(body)
        if outcome.kind is OutcomeKind.OBSERVED and attributes is None:
            detail = "the account's attributes are no object that could be sent back"
            outcome = Outcome(OutcomeKind.AMBIGUOUS, outcome.exchange, detail=detail)
        return outcome, attributes or {}

    def _unnamed(self, method: str, path: str, values: Record) -> Outcome | None:
        """What keeps names of groups from being known; None where nothing does."""
        names = values.get("groups")
        failed = self._groups.complete(names) if isinstance(names, list) else None
        if failed is None:
            return None
        failed = self._explained(failed)
        if failed.kind is not OutcomeKind.FORBIDDEN:
            return failed
        return self._accounts.refused_at(method, path, {"groups": NO_GROUPS}, NO_GROUPS)

    def _written(self, outcome: Outcome) -> Outcome:
        if "groups" in outcome.fields and outcome.exchange.status is not None:
            self._groups.forget()  # an id that is refused belongs to a group that is gone
        return self._seen(outcome)

    def _seen(self, outcome: Outcome) -> Outcome:
        if outcome.record is not None:
            self._note(outcome.record)
        return self._explained(outcome)

    def _note(self, record: Record) -> None:
        if "type" not in record:
            return
        if len(self._serves) >= KNOWN_TYPES:
            self._serves = {}
        self._serves[str(record.get("pk"))] = record["type"] in SERVICE

    def _explained(self, outcome: Outcome) -> Outcome:
        """What only authentik means by an answer: its two kinds of 403, of 404 and of 405."""
        match outcome.kind:
            case OutcomeKind.FORBIDDEN if BAD_TOKEN.search(outcome.detail):
                return self._refused(outcome)
            case OutcomeKind.FORBIDDEN:
                return replace(outcome, detail=one_line(f"{outcome.detail} ({NEEDS})"))
            case OutcomeKind.MISSING if outcome.detail.startswith("status 404"):
                detail = f"nothing is served at {outcome.exchange.path}: is the base URL right?"
                return replace(outcome, kind=OutcomeKind.SUSPECT, detail=one_line(detail))
            case OutcomeKind.AMBIGUOUS if outcome.exchange.status == HTTPStatus.METHOD_NOT_ALLOWED:
                return replace(outcome, detail=MASKED)
            case _:
                return outcome

    def _filtered(self, condition: Mapping[str, str]) -> tuple[Outcome, list[tuple[str, Record]]]:
        """All accounts that a filter names; all there are, should it be ignored."""
        accounts: list[tuple[str, Record]] = []
        cursor: str | None = None
        for _ in range(FIND_PAGES):
            page = self._listing.after(cursor, {**condition, "ordering": "pk"})
            accounts += page.records
            cursor = page.cursor
            if cursor is None:
                return self._explained(page.outcome), accounts
        detail = f"more than {FIND_PAGES} pages of accounts answer to one value"
        return Outcome(OutcomeKind.AMBIGUOUS, page.outcome.exchange, detail=detail), []

    def _nobody(self, outcome: Outcome) -> Outcome:
        """The outcome of a search without a match. Who may not even see themselves cannot say so."""
        me = self._me()[2]
        if me is None or me.get("is_superuser") is True:
            return outcome
        own = self._accounts.fetch(str(me.get("pk")))
        if own.kind not in {OutcomeKind.FORBIDDEN, OutcomeKind.MISSING}:
            return outcome
        return Outcome(OutcomeKind.FORBIDDEN, outcome.exchange, detail=PARTIAL)

    def _me(self) -> tuple[Answer, Outcome, Record | None]:
        """Whose token it is. This takes no right, so that a 403 here is about the token."""
        answer = self._client.get(ME)
        outcome, body = document_outcome(answer)
        me = body.get("user")
        if isinstance(me, dict) and isinstance(me.get("username"), str):
            return answer, outcome, me
        if outcome.kind is OutcomeKind.FORBIDDEN:
            outcome = self._refused(outcome)
        elif outcome.kind is OutcomeKind.OBSERVED:
            outcome = replace(outcome, kind=OutcomeKind.SUSPECT, detail="the answer names no token's owner")
        return answer, outcome, None

    def _failed(self, answer: Answer, outcome: Outcome) -> CheckReport:
        report = failed_report(answer, outcome, self._client.base_url, ROOT)
        if answer.exchange.status != HTTPStatus.FORBIDDEN:
            return report
        if "not provided" in outcome.detail:
            sent = self._client.scheme == "bearer"
            return replace(report, problems=(NO_HEADER if sent else NO_BEARER,))
        return replace(report, problems=(f"{self._client.base_url} says {outcome.detail}. {ONE_ANSWER}",))

    def _entitled(self, report: CheckReport, *, is_superuser: bool) -> CheckReport:
        """The report with rights, expiry and shown fields."""
        owner_id = str(report.owner_id)
        found = standing(self._client, self._accounts, f"{USERS}{owner_id}/", owner_id)
        report = replace(report, rights=found.rights, missing=found.missing, shown=found.shown)
        if is_superuser:
            return replace(report, rights=("is_superuser",), missing=(), expires_at=self._expiry(report))
        if CHANGE in found.rights:
            return replace(report, expires_at=self._expiry(report))
        if found.unread is not None and not found.missing:
            return _with_problem(report, f"cannot be looked up ({found.unread.detail}): try again.")
        if not found.missing:
            return report
        return _with_problem(report, NO_VIEW if VIEW in found.missing else NO_CHANGE)

    def _expiry(self, report: CheckReport) -> str | None:
        """When our token ends, where its owner has one token of the API only. The list shows no secrets."""
        query: dict[str, str | int] = {"intent": "api", "user__username": str(report.owner)}
        _, body = document_outcome(self._client.get(TOKENS, {**query, "page_size": PAGE_SIZE}))
        listed, numbers = body.get("results"), body.get("pagination")
        if not isinstance(listed, list) or not isinstance(numbers, dict) or numbers.get("next") != 0:
            return None
        own = [
            token for token in listed if isinstance(token, dict) and str(token.get("user")) == report.owner_id
        ]
        ours = [token for token in own if token.get("intent") == "api"]
        return sole_expiry(token.get("expires") if token.get("expiring") else None for token in ours)

    def _refused(self, outcome: Outcome) -> Outcome:
        """A token that authentik does not take (any more); it is read anew before the next request."""
        known = self._accepted
        accepted = f". {known[1]}" if known is not None and known[0] == self._client.session else ""
        self._client.refresh()
        detail = one_line(f"{outcome.detail}: {BAD}{accepted}")
        return replace(outcome, kind=OutcomeKind.SUSPECT, detail=detail)


def _with_problem(report: CheckReport, problem: str) -> CheckReport:
    return replace(report, healthy=False, problems=(f"{report.owner}, who owns the token, {problem}",))


def _conditions(values: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """One filter for each value."""
    for name, texts in values.items():
        for text in texts:
            if name.startswith(BELOW):
                yield {"attributes": json.dumps({name.removeprefix(BELOW): text})}
            else:
                yield {name: text}


CONNECTOR: Final = AuthentikConnector
