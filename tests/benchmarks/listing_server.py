"""An AWX with any number of users, made up page by page: `python -m tests.benchmarks.listing_server N`.

Every hundredth user has another first name than HR says. It keeps nothing, so that it can be asked for any
page at once; the port that it listens on is its first line.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 200
CHANGED_EVERY = 100
FIRST = 1000  # ids below it are not people


def user(number: int) -> dict[str, Any]:
    changed = number % CHANGED_EVERY == 0
    name = f"person.{number}"
    return {
        "id": FIRST + number,
        "type": "user",
        "url": f"/api/v2/users/{FIRST + number}/",
        "related": {"teams": f"/api/v2/users/{FIRST + number}/teams/"},
        "summary_fields": {"user_capabilities": {"edit": True, "delete": True}},
        "created": "2026-01-01T00:00:00.000000Z",
        "modified": None,
        "username": name,
        "first_name": "Somebody" if changed else f"Given{number}",
        "last_name": f"Family{number}",
        "email": f"{name}@example.com",
        "is_superuser": False,
        "is_system_auditor": False,
        "password": "$encrypted$",
        "ldap_dn": "",
        "last_login": None,
        "external_account": None,
        "auth": [],
    }


ADMIN = {**user(0), "id": 1, "username": "admin", "is_superuser": True}


class _Awx(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    users: int

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        body = json.dumps(self._answer(address.path, query)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        if path == "/api/v2/ping/":
            return {"version": "24.6.1", "ha": False}
        if path == "/api/v2/me/":
            return _listing([ADMIN], 1, more=False)
        if path != "/api/v2/users/":
            return _listing([], 0, more=False)
        after = max(0, int(query.get("id__gt", "0")) - FIRST)
        page = [user(number) for number in range(after + 1, min(after + PAGE, self.users) + 1)]
        return _listing(page, self.users - after, more=after + PAGE < self.users)

    def log_message(self, *args: object) -> None:
        """Nothing is said."""


def _listing(results: list[dict[str, Any]], count: int, *, more: bool) -> dict[str, Any]:
    following = f"/api/v2/users/?id__gt={results[-1]['id']}" if more else None
    return {"count": count, "next": following, "previous": None, "results": results}


def main() -> None:
    _Awx.users = int(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Awx)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
