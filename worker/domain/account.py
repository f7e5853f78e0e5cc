"""An account: one identity at one target, as the engine knows it. The row is the work item.

Immutable; every transition gives a new value. Times are seconds since the epoch.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Record
from worker.domain.strict_json import digest

# Names of what is held when it is not one field of the target. No API has a field that starts
# with "@".
ACCOUNT = "@account"
LEAVER = "@leaver"
RETURNER = "@returner"
SCOPE = "@scope"
FAULT = "@fault"  # working on it failed here, whatever the target says


class Reason(enum.StrEnum):
    """Why a field is held. The words are part of the `held` listing."""

    VALUE = "value"  # the value breaks a rule of the target's document, it was not sent
    MAPPING = "mapping"  # the mapping's expression failed for this person
    REJECTED = "rejected"  # the target refused it
    UNIQUE = "unique"  # another account of the target has this value
    IGNORED = "ignored"  # the target answers success and keeps its own value
    PRIVILEGED = "privileged"  # a grant that the target's policy denies
    APPROVAL = "approval"  # a grant that waits for an approval
    PROTECTED = "protected"  # the account may not be changed by Hirewire
    BRAKE = "brake"  # too many revocations in the last hour
    MISSING = "missing"  # no account answers to the correlation value
    MATCHES = "matches"  # several accounts do, or one without enough evidence
    LEAVER = "leaver"  # the target cannot deactivate, or the configuration says to hold
    RETURNED = "returned"  # a demoted account whose person came back
    SCOPE = "scope"  # the person left the target's scope
    FAULT = "fault"  # the target fails for this account alone, or we do
    CRASHED = "crashed"  # workers died of it
    DISCARDED = "discarded"  # an operator said that it is not to be sent
    DECLINED = "declined"  # an approver said no
    UNLINKED = "unlinked"  # an operator took the link away: no account is looked for


QUIET = frozenset({Reason.DISCARDED, Reason.DECLINED})
"""Somebody has decided: such a hold stays as it is until there is new data, or a later decision."""


@dataclass(frozen=True, slots=True)
class Hold:
    """`value_hash` is the digest of the refused value: new data for the field releases the hold.

    `holder`, of a unique clash: the subject whose account has the value, "" when nobody whom
    Hirewire knows has it, None before it was looked for.
    """

    reason: Reason
    message: str
    value_hash: str
    since: float
    holder: str | None = None


class Write(enum.StrEnum):
    """Which unsafe request it is; the word stands in the audit's actions."""

    PATCH = "patch"
    CREATE = "create"
    DEMOTE = "demote"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A write that was intended and has no definite outcome yet.

    Written with the intent, before the send; a worker that dies leaves it behind. `request` is the
    id that intent, request header and outcome share; `correlation` is what the write was done for.
    """

    request: str
    changes: Record
    at: float
    revision: int
    revocation: bool = False
    write: Write = Write.PATCH
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """An opaque field as it was last sent: digest of the reference, and of the content behind it."""

    reference: str
    content: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field that the target answered 2xx for without showing the value; `reads` since then."""

    value_hash: str
    reads: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave to send one guarded change, once. `binds` says which (`worker.domain.decisions`)."""

    decision: int
    binds: str
    until: float
    by: str


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    identity_id: int
    target_id: int
    remote_id: str | None = None
    applied_revision: int = 0
    observed: Record | None = None
    observed_at: float = 0.0
    must_read: bool = False
    doubt: Doubt | None = None
    recheck_at: float | None = None
    level: int = 0  # how often it backed off in a row, for the next delay
    attempts: int = 0  # attempts that count: answers that blame this account
    failure: str = ""  # the last failure in a row, for "the same again"
    failing_since: float = 0.0  # when that row of failures began
    crashes: int = 0
    demoted: bool = False  # its rights and password were taken away when the person left
    mapping_hash: str | None = None  # of the configuration that it was last acknowledged with
    ignored: Mapping[str, Ignored] = field(default_factory=dict)
    sent: Mapping[str, Sent] = field(default_factory=dict)
    held: Mapping[str, Hold] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    heeded: int = 0  # the newest decision of an operator that was taken in

    def hold(self, holds: Mapping[str, Hold]) -> Account:
        """With these holds; a hold for the same value keeps its first time, and what somebody decided."""
        if not holds:
            return self
        merged = dict(self.held)
        for name, new in holds.items():
            old = merged.get(name)
            if old is not None and old.reason in QUIET and old.value_hash == new.value_hash:
                continue
            kept = old is not None and (old.value_hash, old.reason) == (new.value_hash, new.reason)
            merged[name] = replace(new, since=old.since) if old is not None and kept else new
        return replace(self, held=merged)

    def release(self, names: Iterable[str]) -> Account:
        gone = set(names) & self.held.keys()
        if not gone:
            return self
        return replace(self, held={name: hold for name, hold in self.held.items() if name not in gone})

    def saw(self, record: Record, now: float) -> Account:
        """The target answered with the whole object. That it can be read says nothing about writes."""
        return replace(self, observed=record, observed_at=now, must_read=False)

    def at_rest(self) -> Account:
        """What was in the way is over: the next failure is the first in its row."""
        return replace(self, level=0, attempts=0, failure="")

    def shut(self, reason: Reason, why: str, revision: int, now: float) -> Account:
        """Held whole until the person's next revision or an operator's word; only read up on then."""
        again = replace(self, must_read=self.must_read or self.doubt is not None, recheck_at=None)
        return again.hold({FAULT: Hold(reason, why, digest(revision), now)})

    def is_shut(self, revision: int) -> bool:
        """Whether nobody may so much as look at it. A defect of ours may be mended: that is tried."""
        hold = self.held.get(FAULT)
        return hold is not None and hold.reason is not Reason.FAULT and hold.value_hash == digest(revision)

    def is_held(self, name: str, value_hash: str) -> bool:
        hold = self.held.get(name)
        return hold is not None and hold.value_hash == value_hash


@dataclass(frozen=True, slots=True)
class Person:
    """One identity as one target should show it: the mapping evaluated, the values encoded."""

    revision: int
    in_scope: bool
    leaver: bool
    wanted: Record  # field -> encoded value; absent fields are not compared and not sent
    problems: Mapping[str, Hold]  # fields whose value or expression is bad
    correlation: tuple[str, ...]  # current value of the correlation field first, then former ones
    origin: Mapping[str, int]  # field -> row of the event that set it
    scope_known: bool = True  # False: the scope's expression gave no answer for this person
    waits: bool = False  # the first day is still to come

    @property
    def correlation_hash(self) -> str:
        return "|".join(self.correlation)
