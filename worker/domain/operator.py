"""Operators: who acts, with which role, and what a token is. Pure.

A role may do all that the one before it may. Nothing here knows where tokens are kept.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass

NAME = re.compile(r"[a-z][a-z0-9._-]{0,62}")
TOKEN_PREFIX = "hw_"  # noqa: S105 - what every token begins with, so that a leaked one is recognised


class Role(enum.StrEnum):
    """From the least to the most; the order of the members is the order of rights."""

    VIEWER = "viewer"  # looks
    OPERATOR = "operator"  # pauses and resumes targets, tries again, discards
    APPROVER = "approver"  # lets a guarded change pass, or refuses it
    ADMIN = "admin"  # adds and revokes operators

    def allows(self, least: Role) -> bool:
        """Whether this role may do what `least` is needed for."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(least)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts. `role` None: somebody at a terminal, known by the operating system's word only.

    `targets`: the scope, the only targets that they may act on; None: all.
    """

    name: str
    role: Role | None = None
    targets: frozenset[str] | None = None

    @property
    def actor(self) -> str:
        """As the audit names them: `operator:NAME`, or `cli:NAME` of the operating system."""
        return self.name if self.role is None else f"operator:{self.name}"

    def may(self, least: Role) -> bool:
        return self.role is not None and self.role.allows(least)

    def covers(self, targets: Collection[str] | None) -> bool:
        """Whether the scope holds all of these. None: every target there is, or what concerns none."""
        return self.targets is None or (targets is not None and self.targets.issuperset(targets))


def token_hash(token: str) -> str:
    """What is stored of a token. Tokens are 256 random bits: a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
