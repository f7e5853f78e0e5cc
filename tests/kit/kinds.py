"""The example's API in other shapes, one for each way of listing: what may be declared is proven on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from acme_server import AcmeServer
from hirewire_acme import AcmeConnector

from connectors.sdk.declared.api import UUID, Api
from connectors.sdk.declared.listings import Numbered, Whole
from connectors.sdk.declared.ownership import OwnerByName
from connectors.sdk.model import Json
from connectors.sdk.testing.memory import MemoryServer, Row


class NumberedAcme(AcmeConnector):
    """Page numbers, as this server has them."""

    api: ClassVar[Api] = dataclasses.replace(
        AcmeConnector.api,
        listing=Numbered(results="people", total="total", number="p", size="per_page", page_size=3),
        filters={"login": "q"},
        owner=OwnerByName(),
    )


class NumberedServer(AcmeServer):
    filters: ClassVar[Mapping[str, str]] = {"login": "q"}

    def listing(self, rows: Sequence[Row], query: Mapping[str, str], url: str) -> Json:
        del url
        number, size = int(query.get("p", 1)), int(query.get("per_page", 3))
        shown: list[Json] = [self.shown(row) for row in rows[(number - 1) * size : number * size]]
        return {"total": len(rows), "people": shown}


class WholeAcme(AcmeConnector):
    """All accounts at once; ids are UUIDs; no filter."""

    descriptor = dataclasses.replace(
        AcmeConnector.descriptor,
        fields=tuple(field for field in AcmeConnector.descriptor.fields if field.name != "id"),
    )
    api: ClassVar[Api] = dataclasses.replace(
        AcmeConnector.api, listing=Whole(), filters={}, id_key="uuid", remote_ids=UUID
    )


class WholeServer(AcmeServer):
    id_key = "uuid"
    filters: ClassVar[Mapping[str, str]] = {}

    def new_id(self) -> Json:
        return f"0b9d6c1e-0000-4000-8000-{super().new_id():012x}"

    def listing(self, rows: Sequence[Row], query: Mapping[str, str], url: str) -> Json:
        del query, url
        return [self.shown(row) for row in rows]


KINDS: dict[str, tuple[Any, type[MemoryServer]]] = {
    "linked": (AcmeConnector, AcmeServer),
    "numbered": (NumberedAcme, NumberedServer),
    "whole": (WholeAcme, WholeServer),
}
