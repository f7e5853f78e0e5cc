"""AWX users: `PATCH /api/v2/users/{id}/`, as AWX 24.6.1 was observed to behave.

One request at a time for one account (AWX loses concurrent writes), never PUT (it resets the flags that
are left out), never a boolean other than true and false (AWX answers 500), never a filter on a single
account's address. AWX cannot deactivate an account and has no way to say when one was changed.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar, Final

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.activity_stream import ENTRIES, changes_in
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.diagnosis import failed_report
from connectors.sdk.expiry import is_over, sole_expiry
from connectors.sdk.fields import Field, FieldType, Null, decode
from connectors.sdk.listing import Listing, broken, list_page
from connectors.sdk.matching import matches_in, searchable
from connectors.sdk.model import (
    CheckReport,
    Found,
    History,
    Json,
    Match,
    Outcome,
    OutcomeKind,
    Page,
    Record,
    Rejection,
)
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.passwords import unknown_password
from connectors.sdk.rest import RestClient, request_id
from connectors.sdk.style import RestStyle
from connectors.sdk.text import one_line

DOCUMENT: Final = "AWX users API, PATCH /api/v2/users/{id}/"
USERS: Final = "/api/v2/users/"
PAGE_SIZE: Final = 200  # AWX's own cap
ROOT: Final = "set `base_url` to the server's root, like https://awx.example.com, without /api/v2."
RIGHTS: Final = ("is_superuser", "is_system_auditor")
MAKE_SUPERUSER: Final = "Use a token of a superuser."
NO_PASSWORD: Final = "$encrypted$"  # noqa: S105  # what AWX shows in place of any password
FIND_PAGES: Final = 10  # an address shared by more than 2,000 accounts identifies nobody
PASSWORD_RULES: Final = re.compile(r"password:")  # AWX's complaint about what was sent as one
GUID: Final = re.compile(r"[0-9a-f]{32}")
BY_LDAP: Final = re.compile(r"managed by LDAP", re.IGNORECASE)
BY_GATEWAY: Final = re.compile(r"\bplatform\b", re.IGNORECASE)
DISOWN: Final = 'or disown the field at this target (`mapping.{} = ""`)'
LDAP: Final = "LDAP would overwrite it: change it in the directory,"
GATEWAY: Final = "AWX leaves it to the platform gateway: change it there,"
FORBIDDEN: Final = "(the token's scope is `read`, or its owner is no superuser: see `hirewire check`)"
GATEWAY_ACCOUNTS: Final = "AWX leaves making and deleting users to the platform gateway: do it there."
READ_SCOPE: Final = "The token has the scope `read`: it changes nothing. Make one with the scope `write`."
SCOPES_DIFFER: Final = (
    "Its owner has tokens of several scopes, and AWX does not tell which is ours: if the first change is"
    " answered with 403, make one with the scope `write`."
)
NO_PASSWORDS: Final = (
    "refuses our credential (401): user name or password is wrong, the user is inactive, or this AWX takes no"
    " passwords (AUTH_BASIC_ENABLED). Correct `credential`, or use a token (scheme `bearer`)."
)
UNTOLD_401: Final = (
    "refuses our credential (401), and AWX does not tell why: the token is wrong, expired or revoked, or its"
    " owner is inactive. Make a new one with the scope `write` and set `credential`."
)


def _text(name: str, max_length: int) -> Field:
    """The document names no limits and no null; both are what AWX 24.6.1 was observed to do."""
    return Field(name, FieldType.TEXT, DOCUMENT, max_length=max_length, null_as=Null.EMPTY)


def _flag(name: str) -> Field:
    return Field(name, FieldType.BOOLEAN, DOCUMENT, privileged=True)


def _read_only(name: str, kind: FieldType) -> Field:
    return Field(name, kind, DOCUMENT, read_only=True)


FIELDS: Final = (
    Field(
        "username",
        FieldType.TEXT,
        DOCUMENT,
        min_length=1,
        max_length=150,
        pattern=r"[\w.@+-]+",
        unique=True,
    ),
    _text("first_name", 150),
    _text("last_name", 150),
    Field("email", FieldType.TEXT, DOCUMENT, max_length=254, email=True, null_as=Null.EMPTY),
    _flag("is_superuser"),
    _flag("is_system_auditor"),
    Field(
        "password",
        FieldType.TEXT,
        DOCUMENT,
        max_length=128,
        write_only=True,
        never_mapped="HR data holds no passwords, and AWX shows none to compare with",
    ),
    _read_only("id", FieldType.INTEGER),
    _read_only("last_login", FieldType.DATETIME),
    _read_only("created", FieldType.DATETIME),
    _read_only("modified", FieldType.DATETIME),  # a copy of last_login: no sign of a change
    _read_only("ldap_dn", FieldType.TEXT),
    _read_only("external_account", FieldType.TEXT),
    _read_only("auth", FieldType.OBJECT),
)


def _guid() -> str:
    """What AWX takes over as its own id of a request; anything but a GUID it replaces."""
    given = request_id.get() or ""
    return given if GUID.fullmatch(given) else uuid.uuid4().hex


class AwxConnector(RestStyle):
    """One AWX server; `base_url` is its root, without `/api/v2`."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        style="awx",
        title="AWX",
        document=DOCUMENT,
        fields=FIELDS,
        correlation="username",
        default_mapping={
            "username": "user_name",
            "first_name": "given_name",
            "last_name": "family_name",
            "email": "email",
        },
        active_field=None,
        can_create=True,
        can_demote=True,
        can_delete=True,
        superuser_field="is_superuser",
        can_tell=True,
    )

    def __init__(self, config: ConnectorConfig) -> None:
        self._client = RestClient(config, request_id_header="X-API-Request-Id", own_request_id=_guid)
        self._accounts = AccountCalls(self._client, self.descriptor, f"{USERS}{{id}}/")

    def patch(
        self, remote_id: str, changes: Record, digests: Mapping[str, str] = MappingProxyType({})
    ) -> Outcome:
        """See `Connector.patch`. What AWX leaves to LDAP or to a gateway is refused with the way out."""
        return _explained(super().patch(remote_id, changes, digests))

    def create(self, values: Record) -> Outcome:
        """See `Connector.create`. `$encrypted$` is how AWX 24.6.1 is told to make an unusable password.

        A server with rules for passwords refuses that one (400, nothing was made): it gets one that nobody
        knows.
        """
        outcome = self._accounts.create(USERS, values, {"password": NO_PASSWORD})
        if (
            outcome.kind is OutcomeKind.REJECTED
            and not outcome.fields
            and PASSWORD_RULES.match(outcome.detail)
        ):
            outcome = self._accounts.create(USERS, values, {"password": unknown_password()})
        return _explained(outcome)

    def demote(self, remote_id: str) -> Outcome:
        """See `Connector.demote`. The tokens of the account stay valid: AWX revokes none."""
        flags: Record = {"is_superuser": False, "is_system_auditor": False}
        return _explained(self._accounts.overwrite(remote_id, flags, {"password": unknown_password()}))

    def delete(self, remote_id: str) -> Outcome:
        """See `Connector.delete`. AWX itself refuses to delete its last superuser."""
        return _explained(self._accounts.delete(remote_id))

    def superusers(self, cursor: str | None) -> Page:
        """See `Connector.superusers`: AWX filters by the flag."""
        return self._listed(cursor, {"is_superuser": "true"})

    def probe(self) -> Outcome:
        """See `Connector.probe`. The credential is read anew."""
        self._client.refresh()
        outcome, _ = self._me()
        return outcome

    def check(self) -> CheckReport:
        """See `Connector.check`: version, whose token, what it may do. Three reads at most."""
        self._client.refresh()
        answer = self._client.get("/api/v2/ping/")
        outcome, ping = document_outcome(answer)
        version = ping.get("version")
        if not isinstance(version, str):
            return failed_report(answer, outcome, self._client.base_url, ROOT)
        answer = self._client.get("/api/v2/me/")
        outcome, body = document_outcome(answer)
        me = _first(body)
        if me is None:
            failed = failed_report(answer, outcome, self._client.base_url, ROOT)
            if answer.exchange.status == HTTPStatus.UNAUTHORIZED:
                why = NO_PASSWORDS if self._client.scheme == "basic" else UNTOLD_401
                failed = dataclasses.replace(failed, problems=(f"{self._client.base_url} {why}",))
            return dataclasses.replace(failed, version=version)
        return self._report(version, me)

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`. AWX compares user names and addresses exactly, case included."""
        values = searchable(self._accounts.fields, wanted)
        if not values:
            exchange = self._client.unsent("GET", USERS)
            return Found(Outcome(OutcomeKind.REJECTED, exchange, detail="nothing to search by"))
        found: dict[str, Match] = {}
        for condition in _conditions(values):
            listing = self._filtered(condition)
            if not listing.ok:
                return Found(listing.outcome)
            found.update(matches_in(listing.accounts, values))
        return Found(listing.outcome, tuple(found.values())) if found else Found(self._nobody())

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`. The cursor is the last id of the page before."""
        return self._listed(cursor, {})

    def history(self, remote_id: str) -> History:
        """See `Connector.history`: the newest entries of the user's activity stream."""
        account = self._accounts.below(remote_id)
        if account is None:
            return History(
                self._accounts.refused("GET", remote_id, {}, "not an id of this API; nothing was asked")
            )
        query: dict[str, str | int] = {"order_by": "-id", "page_size": ENTRIES}
        outcome, body = document_outcome(self._client.get(f"{account}activity_stream/", query))
        if outcome.kind is not OutcomeKind.OBSERVED:
            return History(outcome)
        return History(outcome, changes_in(body.get("results"), remote_id, self._accounts.fields.values()))

    def _listed(self, cursor: str | None, condition: Mapping[str, str]) -> Page:
        listing = self._after(int(cursor or 0), condition)
        if not listing.ok:
            return Page(listing.outcome)
        following = listing.accounts[-1][0] if listing.next_path and listing.accounts else None
        total = listing.total if cursor is None else None
        return Page(listing.outcome, listing.accounts, following, total)

    def _filtered(self, condition: Mapping[str, str]) -> Listing:
        """All accounts that a filter names, in one listing."""
        accounts: list[tuple[str, Record]] = []
        last = 0
        for _ in range(FIND_PAGES):
            page = self._after(last, condition)
            accounts += page.accounts
            if not page.ok or page.next_path is None or not page.accounts:
                return dataclasses.replace(page, accounts=tuple(accounts))
            last = int(accounts[-1][0])
        return broken(page.outcome, f"more than {FIND_PAGES * PAGE_SIZE} accounts answer to one value")

    def _after(self, last: int, condition: Mapping[str, str]) -> Listing:
        """The next accounts by id: unlike page numbers, safe while accounts come and go."""
        query: dict[str, str | int] = {**condition, "order_by": "id", "id__gt": last, "page_size": PAGE_SIZE}
        page = list_page(self._client, self._accounts.fields, USERS, query)
        ids = [int(remote_id) if remote_id.isdigit() else -1 for remote_id, _ in page.accounts]
        if ids != sorted(set(ids)) or (ids and ids[0] <= last):
            return broken(page.outcome, "the listing is not in the order of ids that was asked for")
        return page

    def _nobody(self) -> Outcome:
        """The outcome of a search without a match. Who may not see everybody cannot say so."""
        outcome, me = self._me()
        if me is None or me.get("is_superuser") is True or me.get("is_system_auditor") is True:
            return outcome
        detail = "our token's owner sees only a part of the accounts: not found does not mean missing"
        return Outcome(OutcomeKind.FORBIDDEN, outcome.exchange, detail=detail)

    def _me(self) -> tuple[Outcome, Record | None]:
        outcome, body = document_outcome(self._client.get("/api/v2/me/"))
        me = _first(body)
        if outcome.kind is OutcomeKind.OBSERVED and me is None:
            return Outcome(OutcomeKind.SUSPECT, outcome.exchange, detail="the token belongs to nobody"), None
        return outcome, me

    def _report(self, version: str, me: Record) -> CheckReport:
        owner, owner_id = str(me.get("username")), str(me.get("id"))
        rights = tuple(name for name in RIGHTS if me.get(name) is True)
        tokens = self._tokens(owner_id)
        scopes = {token.get("scope") for token in tokens}
        reads_only = scopes == {"read"}
        problems = (*_missing_rights(owner, rights), *((READ_SCOPE,) if reads_only else ()))
        missing = () if "is_superuser" in rights else ("is_superuser",)
        return CheckReport(
            reachable=True,
            healthy=not problems,
            version=version,
            owner=owner,
            owner_id=owner_id,
            rights=rights,
            missing=(*missing, *(("write",) if reads_only else ())),
            expires_at=sole_expiry(token.get("expires") for token in tokens),
            shown=frozenset(decode(self._accounts.fields.values(), me)),
            problems=problems,
            notes=(SCOPES_DIFFER,) if len(scopes) > 1 and "read" in scopes else (),
        )

    def _tokens(self, owner_id: str) -> list[dict[str, Json]]:
        """The tokens of our token's owner that have not expired: ours is one of them. None for a password."""
        if self._client.username is not None:
            return []
        answer = self._client.get(f"{USERS}{owner_id}/tokens/", {"page_size": PAGE_SIZE})
        _, body = document_outcome(answer)
        listed = body.get("results")
        tokens = [token for token in listed if isinstance(token, dict)] if isinstance(listed, list) else []
        return [token for token in tokens if not is_over(token.get("expires"))]


def _explained(outcome: Outcome) -> Outcome:
    """What only AWX means by a refusal: somebody else owns the field, or the users altogether."""
    if outcome.kind is OutcomeKind.FORBIDDEN and BY_GATEWAY.search(outcome.detail):
        detail = one_line(f"{outcome.detail} {GATEWAY_ACCOUNTS}")
        return dataclasses.replace(outcome, kind=OutcomeKind.REJECTED, detail=detail)
    if outcome.kind is OutcomeKind.FORBIDDEN:
        return dataclasses.replace(outcome, detail=one_line(f"{outcome.detail} {FORBIDDEN}"))
    if outcome.kind is not OutcomeKind.REJECTED:
        return outcome
    return dataclasses.replace(
        outcome, fields={name: _with_way_out(name, why) for name, why in outcome.fields.items()}
    )


def _with_way_out(name: str, why: Rejection) -> Rejection:
    for owner, advice in ((BY_LDAP, LDAP), (BY_GATEWAY, GATEWAY)):
        if owner.search(why.message):
            message = one_line(f"{why.message} {advice} {DISOWN.format(name)}.")
            return dataclasses.replace(why, message=message)
    return why


def _first(body: Mapping[str, Json]) -> Record | None:
    """The one user in the answer of `/me/`."""
    results = body.get("results")
    me = results[0] if isinstance(results, list) and results else None
    return me if isinstance(me, dict) and isinstance(me.get("username"), str) else None


def _conditions(values: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """One filter for each field; a value with a comma cannot stand in a list."""
    for name, wanted in values.items():
        listed = [value for value in wanted if "," not in value]
        if len(listed) > 1:
            yield {f"{name}__in": ",".join(listed)}
        else:
            yield from ({name: value} for value in listed)
        yield from ({name: value} for value in wanted if "," in value)


def _missing_rights(owner: str, rights: tuple[str, ...]) -> tuple[str, ...]:
    if "is_superuser" in rights:
        return ()
    if "is_system_auditor" in rights:
        return (
            f"{owner}, who owns the token, is a system auditor: reads all, changes nothing. {MAKE_SUPERUSER}",
        )
    seen = "AWX shows only a part of the users, as if the others did not exist, and lets change fewer."
    return (f"{owner}, who owns the token, is no superuser: {seen} {MAKE_SUPERUSER}",)


CONNECTOR: Final = AwxConnector
