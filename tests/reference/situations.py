"""What stood behind a recorded exchange that the exchange itself does not show.

Settings that an earlier, unrecorded request had made, an account changed in the database, whose
token was meant. Keyed by the recording's sections and case labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Situation:
    """`passwords_back` counts back from the current password; `password` replaces it altogether."""

    fresh: bool = False  # seed anew before this case
    options: dict[str, Any] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    second_members: list[str] = field(default_factory=list)
    token: str = "replay-admin-write"
    password: str = ""
    passwords_back: int = 0

    def merged(self, other: Situation) -> Situation:
        return Situation(
            options={**self.options, **other.options},
            users={**self.users, **other.users},
            second_members=[*self.second_members, *other.second_members],
        )


POLICY = {
    "LOCAL_PASSWORD_MIN_LENGTH": 12,
    "LOCAL_PASSWORD_MIN_DIGITS": 1,
    "LOCAL_PASSWORD_MIN_UPPER": 1,
    "LOCAL_PASSWORD_MIN_SPECIAL": 1,
}
LDAP = {
    "AUTH_LDAP_SERVER_URI": "ldap://ldap.example.com",
    "AUTH_LDAP_USER_ATTR_MAP": {"first_name": "givenName", "last_name": "sn", "email": "mail"},
    "AUTH_LDAP_USER_FLAGS_BY_GROUP": {"is_superuser": "cn=admins"},
}
GATEWAY = "ALLOW_LOCAL_RESOURCE_MANAGEMENT=False (AAP 2.5 gateway mode)"
TUNED = "settings-that-change-the-contract"

SECTIONS: dict[str, Situation] = {
    "ldap-managed": Situation(options=LDAP),
    GATEWAY: Situation(options={"ALLOW_LOCAL_RESOURCE_MANAGEMENT": False}),
}

INACTIVE = Situation(fresh=True, users={"erin": {"is_active": False}})

CASES: dict[tuple[str, str], Situation] = {
    ("auth", "wrong basic password"): Situation(password="wrong"),
    ("auth", "bearer read-scope token PATCH"): Situation(token="replay-admin-read"),
    ("auth", "bearer read-scope token GET"): Situation(token="replay-admin-read"),
    ("patch-valid", "old password basic after change"): Situation(passwords_back=1),
    ("permissions", "self PATCH via token"): Situation(token="replay-alice"),
    ("extra", "inactive user in list"): INACTIVE,
    (TUNED, "too short"): Situation(fresh=True, options=POLICY),
}

COOKIE = "a browser's session cookie: the worker never has one"
BODIES = "patch-body-and-content-type"

OUT_OF_SCOPE: dict[tuple[str, str], str] = {
    ("session", "session PATCH without csrf"): COOKIE,
    ("session", "session PATCH with csrf"): COOKIE,
    (BODIES, "big body 4MB straight to uwsgi"): "sent past the proxy that targets have",
    (BODIES, "deep nesting"): "its body is cut in the recording; tested on its own",
}
