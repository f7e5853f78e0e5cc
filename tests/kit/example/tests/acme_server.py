"""A server that behaves as Acme People was observed to."""

from collections.abc import Mapping, Sequence

from connectors.sdk.model import Json
from connectors.sdk.testing.memory import MemoryServer, Row

from hirewire_acme import FIELDS


class AcmeServer(MemoryServer):
    fields = FIELDS
    accounts = "/v1/people/"
    account = "/v1/people/{id}/"
    owner = "/v1/whoami/"
    filters = {"login": "login", "email": "email", "admin": "admin"}
    options = {"teams": {"Editors": 3, "Night shift": 5, "Operations": 8}}
    samples = {"teams": [["Editors"], ["Night shift", "Operations"]]}
    me = {"login": "hirewire", "contract": "permanent", "enabled": True, "admin": True}
    initial = {"contract": "permanent", "enabled": True, "created_at": "2024-02-29T08:00:00Z"}
    foreign = {"desk": "4.12", "parking": {"plate": "AC-1234", "level": 2}}

    def listing(self, rows: Sequence[Row], query: Mapping[str, str], url: str) -> Json:
        page = super().listing(rows, query, url)
        return {"total": page["count"], "next_page": page["next"], "people": page["results"]}
