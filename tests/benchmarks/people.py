"""The people of a benchmark: what the sink shows of them, what HR says, and their rows in Hirewire."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from config.settings import Settings
from connectors.sdk.model import Json
from tests.benchmarks.listing_server import FIRST, user
from worker import bootstrap
from worker.databases import open_writer
from worker.domain.account import Account
from worker.domain.clash import has
from worker.domain.identity import Asserted, Identity
from worker.domain.policy import Policy
from worker.engine.target import Target
from worker.storage import tables
from worker.storage.codec import account_state, identity_state
from worker.storage.tables import JsonText

SOURCE = "hr"
_BATCH = 5_000
_FIELDS = {
    "user_name": "username",
    "given_name": "first_name",
    "family_name": "last_name",
    "email": "email",
}


def shown(number: int) -> dict[str, Any]:
    """A person's account at the sink before anything changed; as HR says."""
    return {**user(number), "first_name": f"Given{number}"}


def remote_id(number: int) -> int:
    return FIRST + number


def subject(number: int) -> str:
    return f"E{number}"


def event(name: str, person: int, family_name: str) -> bytes:
    """One CloudEvent; HR's clock never stands still, so the later one wins."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    said: Json = {
        "specversion": "1.0",
        "id": name,
        "source": SOURCE,
        "type": "hirewire.person.changed",
        "subject": subject(person),
        "time": f"{at}.{rest:09d}Z",
        "data": {"family_name": family_name},
    }
    return json.dumps(said, separators=(",", ":")).encode()


def fill(settings: Settings, people: int) -> None:
    """So many people, each with a linked account that is as HR says, by the rows."""
    bootstrap.announce(settings)
    engine = open_writer(settings)
    targets = bootstrap.build_targets(settings, bootstrap.open_store(settings, engine))
    try:
        for start in range(1, people + 1, _BATCH):
            with engine.begin() as connection:
                _insert(connection, range(start, min(start + _BATCH, people + 1)), targets, settings)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    finally:
        engine.dispose()


def _insert(
    connection: sa.Connection, numbers: range, targets: dict[int, Target], settings: Settings
) -> None:
    known = {number: _identity(number) for number in numbers}
    names = [
        {"attribute": attribute, "name": name, "identity_id": number}
        for number, identity in known.items()
        for attribute, name in identity.names()
    ]
    _copy(connection, tables.identity, [_person(number, one) for number, one in known.items()])
    _copy(connection, tables.identity_name, names)
    for target in targets.values():
        accounts = [_account(number, target) for number in numbers]
        _copy(connection, tables.account, [_row(one, target, settings.engine.shards) for one in accounts])
        values = [value for one in accounts for value in _values(one, target.policy)]
        _copy(connection, tables.unique_value, values)


def _copy(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """A third of what inserting them takes; PostgreSQL only."""
    texts = {name for name in rows[0] if isinstance(table.c[name].type, JsonText)}
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(rows[0])
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([_text(value) if name in texts else value for name, value in row.items()])


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _identity(number: int) -> Identity:
    said = shown(number)
    held = {name: Asserted(said[field], "1", number, 1, SOURCE) for name, field in _FIELDS.items()}
    return Identity(subject(number), 1, held)


def _person(number: int, identity: Identity) -> dict[str, Any]:
    attributes, snapshots = identity_state(identity)
    row = {"id": number, "subject": identity.subject, "revision": 1, "created_at": 1.0}
    return {**row, "attributes": attributes, "snapshots": snapshots}


def _account(number: int, target: Target) -> Account:
    said = shown(number)
    seen = {field: said[field] for field in (*_FIELDS.values(), "is_superuser")}
    return Account(
        number * 16 + target.id,
        number,
        target.id,
        remote_id=str(remote_id(number)),
        applied_revision=1,
        observed=seen,
        observed_at=time.time(),
        mapping_hash=target.fingerprint,
    )


def _row(account: Account, target: Target, shards: int) -> dict[str, Any]:
    return {
        "id": account.id,
        "identity_id": account.identity_id,
        "target_id": target.id,
        "shard": account.identity_id % shards,
        "remote_id": account.remote_id,
        "applied_revision": 1,
        "priority": 1,
        "mapping_hash": target.fingerprint,
        "state": account_state(account),
    }


def _values(account: Account, policy: Policy) -> list[dict[str, Any]]:
    return [
        {
            "target_id": value.target_id,
            "field": value.field,
            "value_hash": value.value_hash,
            "account_id": account.id,
            "waiting": False,
        }
        for value in has(account, policy)
    ]
