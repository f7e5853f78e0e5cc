"""Staff users: `PATCH /api/users/{id}/`, and `PATCH /api/users/me/` for the owner of the token.

Two documents describe one API and contradict each other; how each place is read is the name of a test. The
slash at the end is always sent, since the server answers 500 without it, and a 500 is ambiguous, never a
reason to try another address. `options.endpoint = "me"` makes a target with one account, the token's owner:
any other subject is refused with nothing sent. Accounts are never created or deleted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Protocol

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.answers import Answer
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.diagnosis import failed_report
from connectors.sdk.dialect import Dialect
from connectors.sdk.fields import Field, FieldType, Null, decode
from connectors.sdk.model import CheckReport, Found, Json, Outcome, OutcomeKind, Page, Record
from connectors.sdk.names import NamedSets, NameIds, configured_names
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.owner import OwnAccount
from connectors.sdk.picture_writes import PictureWrites
from connectors.sdk.pictures import Pictures, pictures_from
from connectors.sdk.rest import RestClient
from connectors.sdk.search import PagedSearch, page_cap
from connectors.sdk.style import RestStyle

UPDATE_USER: Final = "Staff users API, PATCH /api/users/{id}/"
UPDATE_ME: Final = "Staff users API, PATCH /api/users/me/"
USERS: Final = "/api/users/"
ME: Final = "/api/users/me/"
ROOT: Final = "set `base_url` so that /api/users/ lies directly below it."
RIGHTS: Final = ("is_staff", "is_admin")
STAFF_ONLY: Final = "Its owner must be staff or admin, and active."
LOST_SLASH: Final = (
    "It answers 500 also where the slash at the end of an address was lost: have what stands in front of it"
    " pass addresses on as they are."
)
NEEDED: Final = "Such a token changes no other user: use one of a staff or admin user."
OPTIONS: Final = ("endpoint", "groups", "picture_folder", "picture_hosts", "find_page_cap")
NO_CREATING: Final = "accounts are never created here; nothing was sent"
NO_DEMOTING: Final = "accounts are deactivated here, not demoted; nothing was sent"
MISSPELT: Final = "is_profile_compeleted"  # so in the table of Update Me; its example spells it well
USER_GENDERS: Final = ("male", "female", "non-binary")
MY_GENDERS: Final = ("male", "female", "other")


def _folded(value: Json) -> Json:
    """Update Me's table answers `Male`, its example `male`."""
    return value.lower() if isinstance(value, str) else value


def _unique(name: str, document: str, null_as: Null, *, email: bool = False) -> Field:
    return Field(name, FieldType.TEXT, document, min_length=1, email=email, null_as=null_as, unique=True)


def _mobile(document: str, null_as: Null) -> Field:
    return replace(_unique("mobile_number", document, null_as), sensitive=True)


def _text(name: str, document: str, null_as: Null) -> Field:
    return Field(name, FieldType.TEXT, document, null_as=null_as)


def _gender(document: str, choices: tuple[str, ...]) -> Field:
    return Field("gender", FieldType.TEXT, document, choices=choices, normalise=_folded, sensitive=True)


def _avatar(document: str) -> Field:
    return Field("avatar", FieldType.TEXT, document, min_length=1, null_as=Null.NULL, opaque=True)


def _flag(name: str, *, privileged: bool) -> Field:
    return Field(name, FieldType.BOOLEAN, UPDATE_USER, privileged=privileged)


def _read_only(name: str, kind: FieldType, document: str) -> Field:
    return Field(name, kind, document, read_only=True)


USER_FIELDS: Final = (
    _unique("username", UPDATE_USER, Null.REFUSE),
    _mobile(UPDATE_USER, Null.REFUSE),
    _unique("email", UPDATE_USER, Null.REFUSE, email=True),
    _text("first_name", UPDATE_USER, Null.EMPTY),
    _text("last_name", UPDATE_USER, Null.EMPTY),
    _gender(UPDATE_USER, USER_GENDERS),
    _flag("is_staff", privileged=True),
    _flag("is_admin", privileged=True),
    _flag("is_active", privileged=False),
    Field("groups", FieldType.NAME_SET, UPDATE_USER, null_as=Null.EMPTY, privileged=True),
    _avatar(UPDATE_USER),
    _read_only("id", FieldType.INTEGER, UPDATE_USER),
    _read_only("full_name", FieldType.TEXT, UPDATE_USER),
    _read_only("last_login", FieldType.DATETIME, UPDATE_USER),
    _read_only("created_at", FieldType.DATETIME, UPDATE_USER),
    _read_only("updated_at", FieldType.DATETIME, UPDATE_USER),
    _read_only("is_online", FieldType.BOOLEAN, UPDATE_USER),
    _read_only("groups_data", FieldType.OBJECT, UPDATE_USER),
)
MY_FIELDS: Final = (
    _unique("username", UPDATE_ME, Null.NULL),
    _mobile(UPDATE_ME, Null.NULL),
    _unique("email", UPDATE_ME, Null.NULL, email=True),
    _text("first_name", UPDATE_ME, Null.NULL),
    _text("last_name", UPDATE_ME, Null.NULL),
    _gender(UPDATE_ME, MY_GENDERS),
    _avatar(UPDATE_ME),
    _read_only("id", FieldType.INTEGER, UPDATE_ME),
    _read_only("full_name", FieldType.TEXT, UPDATE_ME),
    _read_only("is_profile_completed", FieldType.BOOLEAN, UPDATE_ME),
    _read_only("groups", FieldType.NAME_SET, UPDATE_ME),
    _read_only("last_login", FieldType.DATETIME, UPDATE_ME),
    _read_only("created_at", FieldType.DATETIME, UPDATE_ME),
)
MAPPING: Final = {
    "username": "user_name",
    "first_name": "given_name",
    "last_name": "family_name",
    "email": "email",
    "mobile_number": "phone_number",
    "gender": "gender",
}
EVERYBODY: Final = Descriptor(
    style="staff_users",
    title="Staff users",
    document=UPDATE_USER,
    fields=USER_FIELDS,
    correlation="username",
    default_mapping={**MAPPING, "is_active": "active"},
    active_field="is_active",
    containers=frozenset({"groups"}),
    superuser_field="is_admin",
)
TOKEN_OWNER: Final = Descriptor(
    style="staff_users",
    title="Staff users (the token's owner)",
    document=UPDATE_ME,
    fields=MY_FIELDS,
    correlation="username",
    owner_only=True,
    default_mapping=MAPPING,
)


class _Answers:
    """The dialect: two shapes of groups, one misspelt name."""

    def __init__(self, groups: NameIds) -> None:
        self._sets = NamedSets({"groups": groups})

    def shown(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        told = dict(body)
        if "groups_data" in told:
            told["groups"] = told.pop("groups_data")
        if MISSPELT in told:
            told.setdefault("is_profile_completed", told.pop(MISSPELT))
        return self._sets.shown(told)

    def sent(self, values: Record) -> tuple[dict[str, Json], dict[str, str]]:
        return self._sets.sent(values)


class _Endpoint(Protocol):
    """What differs between everybody's accounts and the token owner's."""

    def refusal(self, method: str, remote_id: str) -> Outcome | None: ...

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found: ...

    def scan(self, cursor: str | None) -> Page: ...

    def problems(self, owner: str, me: Record) -> tuple[str, ...]: ...


class _Users(PagedSearch):
    """Any account may be named; what the token may do shows in the flags of its owner."""

    def refusal(self, method: str, remote_id: str) -> Outcome | None:
        del method, remote_id
        return None

    def problems(self, owner: str, me: Record) -> tuple[str, ...]:
        if not all(name in me for name in RIGHTS) or any(me[name] is True for name in RIGHTS):
            return ()
        return (f"{owner}, who owns the token, is neither staff nor admin. {NEEDED}",)


class _Me(OwnAccount):
    def problems(self, owner: str, me: Record) -> tuple[str, ...]:
        """None: who may read this endpoint may write it."""
        del owner, me
        return ()


class StaffUsersConnector(RestStyle):
    """One server; `/api/users/` lies below `base_url`. `pictures` stand in for those of the options."""

    descriptor: Descriptor = EVERYBODY

    def __init__(self, config: ConnectorConfig, pictures: Pictures | None = None) -> None:
        options = _checked(config.options or {})
        self.descriptor = TOKEN_OWNER if options.get("endpoint") == "me" else EVERYBODY
        dialect = self._dialect = _Answers(NameIds("group", configured_names(options, "groups")))
        self._client = RestClient(config)
        path = ME if self.descriptor is TOKEN_OWNER else f"{USERS}{{id}}/"
        self._accounts = AccountCalls(self._client, self.descriptor, path, dialect=dialect)
        self._me = _Me(self._client, self._accounts.fields, ME, dialect)
        self._endpoint = self._chosen(dialect, page_cap(options))
        loaded = pictures_from(options, config.timeouts)
        self._writes = PictureWrites(self._accounts, pictures or loaded, "avatar")

    def _chosen(self, dialect: Dialect, cap: int) -> _Endpoint:
        if self.descriptor is TOKEN_OWNER:
            return self._me
        return _Users(self._client, self._accounts.fields, USERS, cap, dialect)

    def encode(self, name: str, value: Json) -> Json:
        """See `Connector.encode`."""
        return self._writes.encode(name, value)

    def fetch(self, remote_id: str) -> Outcome:
        """See `Connector.fetch`."""
        return self._endpoint.refusal("GET", remote_id) or self._accounts.fetch(remote_id)

    def patch(
        self, remote_id: str, changes: Record, digests: Mapping[str, str] = MappingProxyType({})
    ) -> Outcome:
        """See `Connector.patch`. One write, but two where a form cannot say all that goes with a picture."""
        refusal = self._endpoint.refusal("PATCH", remote_id)
        return refusal or self._writes.patch(remote_id, changes, digests)

    def create(self, values: Record) -> Outcome:
        """Refused: no document of this API tells how an account is made."""
        del values
        return self._accounts.refused_at("POST", USERS, {}, NO_CREATING)

    def demote(self, remote_id: str) -> Outcome:
        """Refused: an account of this API is deactivated instead."""
        return self._accounts.refused("PATCH", remote_id, {}, NO_DEMOTING)

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`. No document names a filter: one is tried, else every page is read."""
        return self._endpoint.find(wanted)

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`."""
        return self._endpoint.scan(cursor)

    def probe(self) -> Outcome:
        """See `Connector.probe`. The credential is read anew."""
        self._client.refresh()
        outcome, _ = self._me.read()
        return outcome

    def check(self) -> CheckReport:
        """See `Connector.check`: whose token, staff or admin. Two reads at most; the API tells no version."""
        self._client.refresh()
        answer = self._client.get(ME)
        outcome, body = document_outcome(answer)
        owner_id, username = body.get("id"), body.get("username")
        if outcome.kind is not OutcomeKind.OBSERVED or not isinstance(owner_id, int):
            return self._failed(answer, outcome)
        owner = username if isinstance(username, str) else None
        mine = decode(self._accounts.fields.values(), self._dialect.shown(body))
        flags, unread = self._flags(str(owner_id), mine)
        problems = (*unread, *self._endpoint.problems(owner or f"the account {owner_id}", flags))
        return CheckReport(
            reachable=True,
            healthy=not problems,
            owner=owner,
            owner_id=str(owner_id),
            rights=tuple(name for name in RIGHTS if flags.get(name) is True),
            missing=RIGHTS if problems and not unread else (),
            shown=None if unread else frozenset(flags),
            problems=problems,
        )

    def _failed(self, answer: Answer, outcome: Outcome) -> CheckReport:
        client = self._client
        report = failed_report(answer, outcome, client.base_url, ROOT, client.scheme)
        if answer.exchange.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return replace(report, problems=(f"{report.problems[0]} {LOST_SLASH}",))
        if outcome.kind is OutcomeKind.FORBIDDEN:
            return replace(report, missing=RIGHTS, problems=(f"{report.problems[0]} {STAFF_ONLY}",))
        return report

    def _flags(self, owner_id: str, me: Record) -> tuple[Record, tuple[str, ...]]:
        """The flags of the token's owner. Update Me documents none, so Update User's answer is asked."""
        if self.descriptor is TOKEN_OWNER or all(name in me for name in RIGHTS):
            return me, ()
        outcome = self._accounts.fetch(owner_id)
        if outcome.record is not None:
            return outcome.record, ()
        path = self.path_of(owner_id)
        return {}, (f"Our token's own account cannot be read at {path} ({outcome.detail}). {NEEDED}",)


def _checked(options: Mapping[str, Json]) -> Mapping[str, Json]:
    """Raises `ValueError` for an option that this style does not have."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise ValueError(f"options.{unknown[0]} is not known; there are {', '.join(OPTIONS)}")
    if options.get("endpoint", "users") not in ("users", "me"):
        raise ValueError('options.endpoint must be "users" or "me"')
    return options


CONNECTOR: Final = StaffUsersConnector
