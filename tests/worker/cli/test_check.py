"""`hirewire check` as a process: what it says of a target, to people at 80 columns and to programs."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, TOKEN
from tests.worker.cli.conftest import LIMIT_S
from tests.worker.cli.screen import all_of

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Answer, Installation

FUTURE, PAST = "2999-12-31T23:00:00Z", "2001-01-01T00:00:00Z"
OPS = {"id": 20, "username": "ops", "is_superuser": True}


@pytest.fixture
def installation(connected: Installation, awx_target: ReferenceTarget) -> Installation:
    tokens = [
        *DEFAULT_TOKENS,
        {"token": "canary-ops", "username": "ops", "expires": FUTURE},
        {"token": "canary-old", "username": "ops", "expires": PAST},
        {"token": "canary-anna", "username": "anna.berg"},
    ]
    awx_target.reset([*DEFAULT_USERS, OPS], tokens)
    return connected


def check(installation: Installation, *words: str, secret: str = TOKEN, base: str = "") -> Answer:
    prefix = "HIREWIRE_TARGETS__AWX_PROD"
    url = installation.environ[f"{prefix}__BASE_URL"] + base
    env = {f"{prefix}__CREDENTIAL__SECRET": secret, f"{prefix}__BASE_URL": url}
    answer = installation.run("check", *words, env=env)
    assert "canary" not in answer.out + answer.errors
    return answer


def target_of(answer: Answer) -> Any:
    (target,) = answer.document["targets"]
    return target


def test_check_tells_programs_everything_that_it_found(installation: Installation) -> None:
    answer = check(installation, "--json", secret="canary-ops", base="/")
    assert answer.code == 0, answer
    assert target_of(answer) == {
        "name": "awx_prod",
        "reachable": True,
        "healthy": True,
        "version": "24.6.1",
        "owner": "ops",
        "owner_id": "20",
        "rights": ["is_superuser"],
        "missing": [],
        "expires_at": FUTURE,
        "unseen": [],
        "problems": [],
        "notes": [],
    }


def test_check_names_missing_rights_and_the_way_out_and_ends_with_1(installation: Installation) -> None:
    answer = check(installation, secret="canary-anna")
    assert answer.code == 1
    assert "awx_prod: anna.berg, who owns the token, is no superuser" in answer.out
    assert "awx_prod: the token lacks is_superuser." in answer.out


def test_check_tells_a_dead_token_and_a_lost_slash_apart(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    dead = check(installation, secret="canary-old")
    awx_target.faults([{"fault": {"kind": "redirect", "headers": {"Location": "/api/v2/ping"}}}])
    slash = check(installation)
    assert (dead.code, slash.code) == (1, 1)
    assert "the token is wrong, expired or revoked, or its owner is inactive. Make a new one" in dead.out
    assert "the slash at the end of the address was lost" in slash.out


def test_check_names_an_owned_field_that_the_server_does_not_show(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    me = {"id": 1, "username": "admin", "first_name": "", "last_name": "", "is_superuser": True}
    body = {"count": 1, "next": None, "previous": None, "results": [me]}
    awx_target.faults([{"path": "/me/$", "fault": {"kind": "status", "status": 200, "body": body}}])
    answer = check(installation)
    assert answer.code == 1
    assert "awx_prod: email is owned, but the server shows no such field: no change of it" in answer.out


def test_check_fits_a_terminal_of_80_columns(installation: Installation) -> None:
    said = on_a_terminal(installation, "check")
    table = said.partition("awx_prod: ")[0].splitlines()
    assert any("awx_prod" in line and "24.6.1" in line and "is_superuser" in line for line in table), said
    assert max(map(len, table)) <= 80
    assert "awx_prod: the token expires at 3" in said


def on_a_terminal(installation: Installation, *words: str) -> str:
    main, terminal = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own words
        installation.command(*words),
        env=installation.environment({"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}),
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.DEVNULL,
    )
    os.close(terminal)
    said = all_of(main)
    assert process.wait(LIMIT_S) == 0, said
    return said.decode().replace("\r\n", "\n")
