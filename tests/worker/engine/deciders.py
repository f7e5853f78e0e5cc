"""Operators of a rig, and their words about what is held."""

from __future__ import annotations

from tests.worker.engine.rig import Rig
from worker.domain.decisions import Word
from worker.domain.operator import Principal, Role
from worker.engine.deciding import Deciding, Held
from worker.engine.operators import Operators

TARGET = "awx"
WHY = "ticket 4711"


class Desk:
    """An approver, an operator and an admin, each with a token, at one rig."""

    def __init__(self, rig: Rig, target: str = TARGET, valid_s: float = 3600) -> None:
        self.target = target
        self.operators = Operators(rig.runtime.store)
        self.tokens = {"root": self.operators.add("root", Role.ADMIN, Principal("cli:test"))}
        self.admin = self.operators.authenticate(self.tokens["root"], Role.ADMIN, "test")
        for name, role in (("alice", Role.APPROVER), ("bert", Role.OPERATOR)):
            self.tokens[name] = self.operators.add(name, role, self.admin)
        self.alice = self.operators.authenticate(self.tokens["alice"], Role.APPROVER, "test")
        self.bert = self.operators.authenticate(self.tokens["bert"], Role.OPERATOR, "test")
        self.deciding = Deciding(rig.runtime.store, rig.signals, rig.runtime.targets, 1, valid_s)

    def say(self, subject: str, field: str, word: Word, seen: str | None = None) -> Held:
        by = self.bert if word in (Word.RETRY, Word.DISCARD) else self.alice
        return self.deciding.decide(self.target, subject, field, word, by, WHY, seen)

    def approve(self, subject: str, field: str, seen: str | None = None) -> Held:
        return self.say(subject, field, Word.APPROVE, seen)

    def look(self, subject: str) -> dict[str, Held]:
        return {held.field: held for held in self.deciding.look(self.target, subject)}


def look_again(rig: Rig) -> None:
    """Every account is read at the next sync, as a resync has it."""
    with rig.runtime.store.begin() as tx:
        tx.accounts.require_read({}, 0, 100, tx.now)
