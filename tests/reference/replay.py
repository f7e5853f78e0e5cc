"""Replaying recorded AWX exchanges against the reference AWX, in a world made equivalent.

Accounts are seeded under ids of our own; addresses and bodies of a recording are renumbered by
username, tokens by the order in which both servers made them. A section starts from a fresh world;
what its recording leaves out (a setting, an inactive account) is made up for by `situations`.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import requests

from tests.fixtures.targets import ReferenceTarget
from tests.reference.recordings import Recorded, objects
from tests.reference.situations import CASES, SECTIONS, Situation

ADDRESS = re.compile(r"/(users|tokens|organizations|teams)/(\d+)")
FIRST_ID = 101
TIMEOUT_S = 60
ADMIN_TOKEN, READ_TOKEN = "replay-admin-write", "replay-admin-read"
ORGANIZATIONS = ("Engineering", "Finance")
COPIED = (
    "username",
    "first_name",
    "last_name",
    "email",
    "is_superuser",
    "is_system_auditor",
    "ldap_dn",
    "last_login",
)
# More accounts than fit on one page.
BYSTANDERS = [{"id": 1000 + n, "username": f"bystander{n}", "email": f"b{n}@example.com"} for n in range(30)]


class Replay:
    """One pass over a recording, in its order."""

    def __init__(self, target: ReferenceTarget, recording: list[Recorded]) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.trust_env = False
        self._accounts = _accounts(recording)
        self._organizations = dict(_numbered(recording, "organizations"))
        self._teams = dict(_numbered(recording, "teams"))
        self._ids: dict[tuple[str, int], int] = {}
        self._passwords: dict[str, list[str]] = {}
        self._section = ""

    def answer(self, recorded: Recorded) -> requests.Response:
        """What the reference server says to this exchange, at this point of its section."""
        situation = CASES.get((recorded.section, recorded.case), Situation())
        if recorded.section != self._section or situation.fresh:
            self._section = recorded.section
            self._prepare(SECTIONS.get(recorded.section, Situation()).merged(situation))
        response = self._send(recorded, situation)
        self._learn(recorded, response)
        return response

    def _prepare(self, situation: Situation) -> None:
        users = [self._user(number, name, situation) for number, name in enumerate(self._accounts, FIRST_ID)]
        self._passwords = {user["username"]: [user["password"]] for user in users}
        self._ids = {("users", self._accounts[user["username"]]["id"]): user["id"] for user in users}
        self._ids |= {("organizations", recorded): own for recorded, own in self._organizations.items()}
        self._ids |= {("teams", recorded): own for recorded, own in self._teams.items()}
        tokens = [
            {"token": ADMIN_TOKEN, "username": "admin", "scope": "write"},
            {"token": READ_TOKEN, "username": "admin", "scope": "read"},
            *({"token": f"replay-{name}", "username": name, "scope": "write"} for name in ("alice", "bob")),
        ]
        self._target.reset([*users, *BYSTANDERS], tokens, situation.options, self._groups(situation))

    def _user(self, number: int, name: str, situation: Situation) -> dict[str, Any]:
        own = {"id": number, "password": f"replay-{number}"}
        return _seeded(self._accounts[name]) | own | situation.users.get(name, {})

    def _groups(self, situation: Situation) -> dict[str, Any]:
        first, second = sorted(self._organizations.values())
        return {
            "organizations": [
                {"id": first, "name": ORGANIZATIONS[0], "users": ["alice"], "admins": ["bob"]},
                {"id": second, "name": ORGANIZATIONS[1], "users": situation.second_members, "admins": []},
            ],
            "teams": [{"id": FIRST_ID, "name": "Platform", "organization": first, "users": ["alice"]}],
        }

    def _send(self, recorded: Recorded, situation: Situation) -> requests.Response:
        headers = {
            "Accept-Encoding": "identity",
            **recorded.headers,
            **self._authorization(recorded, situation),
        }
        request = requests.Request(
            recorded.method,
            self._target.base_url + self._renumbered(recorded.path),
            headers=headers,
            data=self._payload(recorded),
        )
        prepared = self._session.prepare_request(request)
        return self._session.send(prepared, timeout=TIMEOUT_S, allow_redirects=False)

    def _payload(self, recorded: Recorded) -> bytes | None:
        member = recorded.body
        if ADDRESS.search(recorded.path) and isinstance(member, dict) and isinstance(member.get("id"), int):
            own = self._ids.get(("users", member["id"]), member["id"])
            return json.dumps({**member, "id": own}).encode()
        return recorded.payload

    def _renumbered(self, path: str) -> str:
        def own(found: re.Match[str]) -> str:
            key = (found[1], int(found[2]))
            return f"/{found[1]}/{self._ids.get(key, found[2])}"

        return ADDRESS.sub(own, path)

    def _authorization(self, recorded: Recorded, situation: Situation) -> dict[str, str]:
        scheme, _, who = recorded.auth.partition(" ")
        if scheme == "none":
            return {}
        if scheme == "Basic" and who in self._passwords:
            secret = situation.password or self._passwords[who][-1 - situation.passwords_back]
            return {"Authorization": f"Basic {base64.b64encode(f'{who}:{secret}'.encode()).decode()}"}
        return {"Authorization": f"{scheme} {situation.token if who.startswith('<') else who}"}

    def _learn(self, recorded: Recorded, response: requests.Response) -> None:
        """Ids that both servers have just given, passwords that have just changed."""
        if recorded.status == 201 == response.status_code:
            kind = "tokens" if "token" in recorded.answer["type"] else "users"
            self._ids[kind, recorded.answer["id"]] = response.json()["id"]
        secret = recorded.body.get("password") if isinstance(recorded.body, dict) else None
        if recorded.method == "PATCH" and response.status_code == 200 and secret not in {None, "$encrypted$"}:
            self._passwords.setdefault(response.json().get("username", ""), []).append(str(secret))


def _accounts(recording: list[Recorded]) -> dict[str, dict[str, Any]]:
    """Each account that stood before the recording, by name, as it was first shown."""
    made = {each.answer["id"] for each in recording if each.status == 201 and each.answer["type"] == "user"}
    found: dict[int, dict[str, Any]] = {}
    for recorded in recording:
        for item in objects(recorded.answer):
            if item.get("type") == "user" and item["id"] not in made:
                found.setdefault(item["id"], item)
    return {item["username"]: item for _, item in sorted(found.items())}


def _seeded(shown: dict[str, Any]) -> dict[str, Any]:
    """The fields of a reset request that give the account a server showed."""
    social = next(iter(shown["auth"]), {"provider": "", "uid": ""})
    return {name: shown[name] for name in COPIED} | {"provider": social["provider"], "uid": social["uid"]}


def _numbered(recording: list[Recorded], kind: str) -> list[tuple[int, int]]:
    """Recorded ids of one kind in the addresses, each with an id of our own."""
    matches = (found for recorded in recording for found in ADDRESS.finditer(recorded.path))
    seen = sorted({int(found[2]) for found in matches if found[1] == kind})
    return [(recorded, FIRST_ID + index) for index, recorded in enumerate(seen)]
