"""What the engine asks of a connector, and what a connector says about itself.

A connector is one file for one API style. It holds no state but its HTTP client, opens nothing
in its constructor, never retries a write that may have been sent, and never decides: every answer
comes back as an `Outcome` and no method raises for anything a target does. Methods are called
from many threads at once, never at the same time for one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from connectors.sdk.fields import Field
from connectors.sdk.model import CheckReport, Found, History, Json, Outcome, Page, Record


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a style can do. Tests compare it with the table of the API's document.

    `active_field` is the boolean that deactivates an account; None where the API has none.
    `immutable_key` is a field that no rename changes, good evidence for linking.
    `containers` are fields that the server replaces whole: read, merge, write. The last account with
    `superuser_field` is never taken away; `superusers` tells who has it.
    """

    style: str
    title: str
    document: str
    fields: tuple[Field, ...]
    correlation: str  # the field `find` searches by unless the target says otherwise
    default_mapping: Mapping[str, str]  # field name -> JMESPath over the attributes
    active_field: str | None = None
    immutable_key: str | None = None
    containers: frozenset[str] = frozenset()
    owner_only: bool = False  # the one account is the owner of our token, which is else protected
    version: int = 1  # raised when the same attributes come out as other values than before
    can_create: bool = False
    can_demote: bool = False  # `demote` takes every right away and sets a password nobody knows
    can_delete: bool = False
    superuser_field: str | None = None  # the boolean, mapped or not, that says who may do everything
    superuser_through: frozenset[str] = frozenset()  # other fields whose removals may take that away
    can_scan: bool = True
    can_tell: bool = False  # `history` tells who changed an account, from the target's own log

    def field(self, name: str) -> Field | None:
        """The specification of a field. A row named `attributes.*` stands for every key below it."""
        for field in self.fields:
            if field.name == name or (field.name.endswith(".*") and name.startswith(field.name[:-1])):
                return replace(field, name=name)
        return None


@dataclass(frozen=True, slots=True)
class Credential:
    """How a target knows us. `secret` is read again from its source after a suspect answer."""

    scheme: str  # "bearer" | "token" | "basic"
    secret: str
    username: str | None = None

    def __repr__(self) -> str:
        return f"Credential(scheme={self.scheme!r}, secret=<hidden>)"


class CredentialSource(Protocol):
    def __call__(self) -> Credential:
        """Return the credential as it is now; reads the secret file again where there is one."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `deadline_s` bounds a whole exchange, headers and body trickled byte by byte included."""

    connect_s: float = 3.0
    read_s: float = 10.0
    deadline_s: float = 20.0


@dataclass(frozen=True, slots=True)
class ConnectorConfig:
    """Everything a connector is built from. `options` are the style's own, already validated."""

    name: str  # the target's name
    base_url: str
    credential: CredentialSource
    timeouts: Timeouts = Timeouts()
    verify: bool | str = True  # TLS: True, or the path of a CA bundle; never False
    pool_size: int = 16
    options: Mapping[str, Json] | None = None


class Connector(Protocol):
    @property
    def descriptor(self) -> Descriptor:
        """What the style can do: the same for every connector of it."""

    def check(self) -> CheckReport:
        """Ask the target who we are, what we may do, and what it shows. At most four reads, no write."""

    def probe(self) -> Outcome:
        """One cheap authenticated read: OBSERVED when target and token are well."""

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """Accounts whose field equals one of the values, exactly, by the server's own case rule.

        `wanted` is correlation field -> current value first, then former ones. What the server
        answers is checked again here: a filter that it ignores never yields a match.
        """

    def path_of(self, remote_id: str) -> str:
        """The path that `fetch` and `patch` use for the account: an intent names it before the send."""

    def fetch(self, remote_id: str) -> Outcome:
        """Read one account. Retried (≤ 3 tries, ≤ 10 s) only while nothing came back."""

    def patch(
        self, remote_id: str, changes: Record, digests: Mapping[str, str] = MappingProxyType({})
    ) -> Outcome:
        """Send absolute values of exactly these fields; twice is once. One write.

        `changes` holds encoded values (see `encode`); sets of names are whole, foreign members
        included. The answer is compared field by field. `digests` are those of the opaque fields
        last sent to this account: content that is the same is not sent again.
        """

    def create(self, values: Record) -> Outcome:
        """Create the account (POST) with these encoded values; `remote_id` is set when APPLIED.

        Only where the descriptor says `can_create`. A user name that somebody else took is REJECTED
        with `unique`; an answer that got lost is AMBIGUOUS: search before anything else.
        """

    def demote(self, remote_id: str) -> Outcome:
        """Take every right away and set a random password that is kept nowhere.

        Only where the descriptor says `can_demote`. Twice is once, but for the password.
        """

    def delete(self, remote_id: str) -> Outcome:
        """Delete the account: APPLIED when it is gone, also where it was gone before. One write.

        Only where the descriptor says `can_delete`. Twice is once.
        """

    def superusers(self, cursor: str | None) -> Page:
        """As `scan`, of all superusers at least: filtered by the server where it can, else everybody."""

    def scan(self, cursor: str | None) -> Page:
        """One page of all accounts in a stable order. `None` starts."""

    def history(self, remote_id: str) -> History:
        """Who changed the account lately, by the target's own log. One read.

        Only where the descriptor says `can_tell`; elsewhere refused, and nothing is asked.
        """

    def encode(self, name: str, value: Json) -> Json:
        """The value as it is sent and compared: checked, normalised, `null_as` applied.

        Raises `FieldError` when it must not be sent; the message names field, rule, document.
        """
