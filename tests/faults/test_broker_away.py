"""The broker is away for the whole run: events are accepted all the same, and drain when it is back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.worker.cli.conftest import Installation, bare, event, settled, start_programs, until

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.fixtures.valkey import ValkeyServer

pytestmark = pytest.mark.slow

PEOPLE = 40
ROUNDS = 3
PATIENCE_S = 60.0  # a start of the program is most of it; each batch waits about a second for the broker
__all__ = ["bare"]


def name_of(number: int) -> str:
    return f"p{number:02d}"


def lines(version: int) -> list[str]:
    return [
        event(
            f"v{version}-{number}",
            name_of(number),
            second=version,
            user_name=name_of(number),
            given_name=f"V{version}",
            email=f"{name_of(number)}@example.com",
        )
        for number in range(PEOPLE)
    ]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_events_are_accepted_without_a_broker_and_drain_when_it_is_back(
    bare: Installation,
    request: pytest.FixtureRequest,
    kind: str,
    valkey_server: ValkeyServer,
    awx_target: ReferenceTarget,
) -> None:
    if kind == "postgresql":
        bare.environ["HIREWIRE_DATABASE__URL"] = request.getfixturevalue("postgres_url")
    bare.environ["HIREWIRE_BROKER__URL"] = valkey_server.url
    bare.environ["HIREWIRE_TARGETS__AWX_PROD__BASE_URL"] = awx_target.base_url
    bare.environ["HIREWIRE_TARGETS__AWX_PROD__CREDENTIAL__SECRET"] = awx_target.token
    names = [name_of(number) for number in range(PEOPLE)]
    people = [{"username": n, "first_name": "V0", "email": f"{n}@example.com"} for n in names]
    awx_target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *people])
    valkey_server.kill()
    assert bare.run("migrate").code == 0
    for version in range(1, ROUNDS + 1):
        began = time.monotonic()
        sent = bare.run("send", bare.file(*lines(version)), "--json")
        assert (sent.code, sent.document["accepted"]) == (0, PEOPLE), sent
        assert time.monotonic() - began < PATIENCE_S
    assert awx_target.writes() == []
    valkey_server.start()
    start_programs(bare)
    until(settled(bare.looking, PEOPLE), "all drained")
    users = awx_target.users()
    assert {users[name]["first_name"] for name in names} == {f"V{ROUNDS}"}
    assert len(awx_target.writes()) == PEOPLE
    assert bare.run("audit", "verify", "--json").document["breaks"] == []
