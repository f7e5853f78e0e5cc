"""Sound connectors for what the example does not show: one that can do little, one of the token's owner."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar

from acme_server import AcmeServer
from hirewire_acme import DOCUMENT, AcmeConnector

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.containers import Containers
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.declared.api import Api
from connectors.sdk.declared.ownership import OwnerAt
from connectors.sdk.dialect import PLAIN
from connectors.sdk.fields import Field, FieldType, Null
from connectors.sdk.model import Found, Json, Outcome, OutcomeKind, Page, Record
from connectors.sdk.names import NameIds
from connectors.sdk.owner import OwnAccount
from connectors.sdk.testing import Account
from connectors.sdk.testing.memory import Row
from tests.kit.broken.base import NONE, Sample

ME = "/v1/whoami/"


class ModestAcme(AcmeConnector):
    """Changes accounts, and neither makes, lists, demotes nor deletes them."""

    descriptor: ClassVar[Descriptor] = replace(
        AcmeConnector.descriptor, can_create=False, can_delete=False, can_demote=False, can_scan=False
    )


class MyAcme(AcmeConnector):
    """The one account is that of the token's owner."""

    descriptor: ClassVar[Descriptor] = replace(
        AcmeConnector.descriptor,
        fields=tuple(row for row in AcmeConnector.descriptor.fields if row.name not in {"admin", "teams"}),
        owner_only=True,
        can_create=False,
        can_delete=False,
        can_demote=False,
        superuser_field=None,
        containers=frozenset(),
    )
    api: ClassVar[Api] = replace(AcmeConnector.api, owner=OwnerAt(ME))

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self._accounts = AccountCalls(self._client, self.descriptor, ME)
        self._me = OwnAccount(self._client, self._accounts.fields, ME, PLAIN)

    def fetch(self, remote_id: str) -> Outcome:
        return self._me.refusal("GET", remote_id) or super().fetch(remote_id)

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        return self._me.refusal("PATCH", remote_id) or super().patch(remote_id, changes, digests)

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        return self._me.find(wanted)

    def scan(self, cursor: str | None) -> Page:
        return self._me.scan(cursor)


class MyServer(AcmeServer):
    def reset(self, accounts: Sequence[Account]) -> Mapping[str, str]:
        (mine,) = accounts
        with self._lock:
            self._rows.clear()
            self._owner_id = self._add(mine.values)
            return {mine.key: self._owner_id}


CONTENT = {"one.png": b"one picture", "two.png": b"another picture"}
PORTRAIT = Field("portrait", FieldType.TEXT, DOCUMENT, null_as=Null.NULL, opaque=True)


class PortraitAcme(AcmeConnector):
    """Accounts have a picture, sent in a text and shown as an address."""

    descriptor: ClassVar[Descriptor] = replace(
        AcmeConnector.descriptor, fields=(*AcmeConnector.descriptor.fields, PORTRAIT)
    )

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        reference = changes.get("portrait")
        if not isinstance(reference, str):
            return super().patch(remote_id, changes)
        digest = self.digest(reference)
        sent = {**changes, "portrait": self.said(CONTENT[reference])}
        if digests.get("portrait") == digest:
            outcome = self._without(remote_id, self.beside(changes))
            if not self.is_lost(outcome):
                return replace(outcome, digests={"portrait": digest})
            sent = {"portrait": sent["portrait"]}
        return replace(super().patch(remote_id, sent), digests={"portrait": digest})

    def digest(self, reference: str) -> str:
        return sha256(CONTENT[reference]).hexdigest()

    def said(self, content: bytes) -> str | None:
        return b64encode(content).decode()

    def beside(self, changes: Record) -> dict[str, Json]:
        return {name: value for name, value in changes.items() if name != "portrait"}

    def is_lost(self, outcome: Outcome) -> bool:
        return outcome.record is not None and outcome.record.get("portrait") is None

    def _without(self, remote_id: str, rest: Record) -> Outcome:
        if rest:
            return super().patch(remote_id, rest)
        outcome = self.fetch(remote_id)
        return replace(outcome, kind=OutcomeKind.APPLIED) if outcome.record is not None else outcome


class PortraitServer(AcmeServer):
    fields = (*AcmeServer.fields, PORTRAIT)
    samples: ClassVar[Mapping[str, Sequence[Json]]] = {**AcmeServer.samples, "portrait": tuple(CONTENT)}

    def change(self, remote_id: str, values: Record) -> Row | None:
        content = values.get("portrait")
        if isinstance(content, str):
            address = f"/portraits/{sha256(content.encode()).hexdigest()}.png"
            values = {**values, "portrait": address}
        return super().change(remote_id, values)


BELOW = "attributes."
FREE = Field("attributes.*", FieldType.JSON, DOCUMENT, null_as=Null.NULL)
PLAIN_ROWS = tuple(row for row in AcmeConnector.descriptor.fields if row.name != "teams")


class ObjectAcme(AcmeConnector):
    """Accounts have an object of free attributes, which the server replaces whole."""

    descriptor: ClassVar[Descriptor] = replace(
        AcmeConnector.descriptor, fields=(*PLAIN_ROWS, FREE), containers=frozenset()
    )

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self._accounts = self._calls({})

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        del digests
        if not any(name.startswith(BELOW) for name in changes) or self._accounts.refusal(remote_id, changes):
            return super().patch(remote_id, changes)
        return self._calls(self.others(remote_id)).patch(remote_id, changes)

    def others(self, remote_id: str) -> Mapping[str, Json]:
        """What the server holds of the object."""
        _, body = self._accounts.read(remote_id)
        attributes = json.loads(body).get("attributes")
        return attributes if isinstance(attributes, dict) else {}

    def _calls(self, attributes: Mapping[str, Json]) -> AccountCalls:
        dialect = Containers(NameIds("team", {}), attributes)
        return AccountCalls(self._client, self.descriptor, self.api.account, dialect=dialect)


class ObjectServer(AcmeServer):
    fields = PLAIN_ROWS
    foreign: ClassVar[Mapping[str, Json]] = {**AcmeServer.foreign, "attributes": {"kept": {"by": "another"}}}

    def rows(self) -> Mapping[str, Mapping[str, Json]]:
        return {remote_id: _flat(row) for remote_id, row in super().rows().items()}

    def _wire(self, values: Record) -> Row:
        own = {name[len(BELOW) :]: value for name, value in values.items() if name.startswith(BELOW)}
        return {**super()._wire(values), "attributes": {"kept": {"by": "another"}, **own}}


def _flat(row: Mapping[str, Json]) -> dict[str, Json]:
    attributes = row.get("attributes")
    plain = {name: value for name, value in row.items() if name != "attributes"}
    below = attributes.items() if isinstance(attributes, dict) else ()
    return {**plain, **{f"{BELOW}{key}": value for key, value in below}}


MODEST = Sample(ModestAcme, AcmeServer)
MINE = Sample(MyAcme, MyServer)
PORTRAITS = Sample(PortraitAcme, PortraitServer)
OBJECTS = Sample(ObjectAcme, ObjectServer)
