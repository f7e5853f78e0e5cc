"""Replaying recorded authentik exchanges against the reference authentik, in a world made equivalent.

Each section starts from a fresh world: every account that the recording shows, under its recorded id, but
for those that the section itself creates. Whose token was meant is told by its stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from tests.fixtures.targets import ReferenceTarget
from tests.reference.recordings import Recorded, objects

TIMEOUT_S = 30
WRITES = frozenset({"PATCH", "POST", "PUT"})
ANONYMOUS = {"id": 1, "username": "AnonymousUser"}
RIGHTS: dict[str, list[str]] = {
    "lowpriv": [],
    "viewer": ["view_user"],
    "writer": ["view_user", "change_user"],
    "changeonly": ["change_user"],
    "exp": ["view_user", "change_user"],
    "apppw": ["view_user", "change_user"],
}
PAST = "2001-01-01T00:00:00Z"
TOKENS: dict[str, dict[str, dict[str, str]]] = {"tok-expired-3": {"exp": {"expires": PAST}}}
DOWN = "db-down-"  # the cases for which the database had been stopped

LOG = "the server's own log of events: nothing that the worker reads"
OUT_OF_SCOPE = {("events", "events"): LOG, ("events", "events-after-patch"): LOG}


class AuthentikReplay:
    """One pass over a recording, in its order."""

    def __init__(self, target: ReferenceTarget, recording: list[Recorded]) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.trust_env = False
        self._recording = recording
        self._situation: tuple[str, bool, str] | None = None

    def answer(self, recorded: Recorded) -> requests.Response:
        """What the reference server says to this exchange, at this point of its section."""
        down = recorded.case.startswith(DOWN)
        special = recorded.case if recorded.case in TOKENS else ""
        if self._situation != (recorded.section, down, special):
            self._situation = (recorded.section, down, special)
            self._prepare(recorded.section, TOKENS.get(special, {}), {"database_down": down})
        request = requests.Request(
            recorded.method,
            self._target.base_url + recorded.path,
            headers={"Accept-Encoding": "identity", **recorded.headers, **_authorization(recorded)},
            data=_payload(recorded),
        )
        prepared = self._session.prepare_request(request)
        return self._session.send(prepared, timeout=TIMEOUT_S, allow_redirects=False)

    def _prepare(self, section: str, tokens: dict[str, dict[str, str]], options: dict[str, bool]) -> None:
        created = {each.answer["pk"] for each in self._recording if _creates(each, section)}
        people = [user for user in _accounts(self._recording) if user["id"] not in created]
        owners = [{"username": f"owner-{name}", "rights": rights} for name, rights in RIGHTS.items()]
        root = {"username": "owner-admin", "is_superuser": True}
        kinds = {"apppw": {"intent": "app_password"}}
        issued = [
            {
                "token": f"replay-{name}",
                "username": f"owner-{name}",
                **kinds.get(name, {}),
                **tokens.get(name, {}),
            }
            for name in ("admin", *RIGHTS)
        ]
        more = {"groups": list(_groups(self._recording))}
        self._target.reset([ANONYMOUS, *people, root, *owners], issued, options, more)


def _authorization(recorded: Recorded) -> dict[str, str]:
    scheme, _, who = recorded.auth.partition(" ")
    if scheme == "none":
        return {}
    return {"Authorization": f"{scheme} replay-{who.strip('<>')}" if who.startswith("<") else recorded.auth}


def _payload(recorded: Recorded) -> bytes | None:
    """Without a body nothing is sent, unless it was the JSON null."""
    if recorded.body is None:
        return b"null" if recorded.method in WRITES else None
    return recorded.payload


def _creates(recorded: Recorded, section: str) -> bool:
    return recorded.section == section and recorded.status == 201


def _accounts(recording: list[Recorded]) -> list[dict[str, Any]]:
    """Each account by its id and the name under which it was first shown."""
    found: dict[int, str] = {}
    for recorded in recording:
        for item in objects(recorded.answer):
            if "username" in item and "uuid" in item and isinstance(item["pk"], int):
                found.setdefault(item["pk"], item["username"])
    return [{"id": pk, "username": username} for pk, username in sorted(found.items())]


def _groups(recording: list[Recorded]) -> Iterator[dict[str, Any]]:
    """Each group once, as answers show it beside its members."""
    seen: set[str] = set()
    for recorded in recording:
        for item in objects(recorded.answer):
            if "num_pk" in item and item["pk"] not in seen:
                seen.add(item["pk"])
                yield {"pk": item["pk"], "name": item["name"], "is_superuser": item["is_superuser"]}
