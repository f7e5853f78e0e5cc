"""The words that engine and connectors share: values, outcomes, reports. Pure data, no I/O.

A *record* is a target's answer for one account after the connector decoded it: documented field
name to normalised value. Undocumented keys are dropped, absent keys stay absent.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, float, str, list["Json"], dict[str, "Json"], None]
Record: TypeAlias = Mapping[str, Json]


class OutcomeKind(enum.Enum):
    """What one answer meant (DESIGN section 3). The engine acts on nothing else."""

    OBSERVED = "observed"  # a read answered with the whole object of the right id
    APPLIED = "applied"  # a write, and every sent field shows the wanted value
    NOT_APPLIED = "not_applied"  # 2xx and the whole object, but a sent field did not change
    UNVERIFIED = "unverified"  # 202, 204, or a sent field is absent from the answer
    AMBIGUOUS = "ambiguous"  # it may or may not have been applied: read before anything else
    REJECTED = "rejected"  # 400, 422: `fields` names the refused ones (empty: the whole request)
    CONFLICT = "conflict"  # 409, 412, 428: read, plan again
    MISSING = "missing"  # 404, 410
    FORBIDDEN = "forbidden"  # 403
    SUSPECT = "suspect"  # 401, 3xx, 405, 415, HTML, TLS failure: the target or our token is wrong
    THROTTLED = "throttled"  # 429, 503 with Retry-After
    UNREACHABLE = "unreachable"  # provably not sent: refused, DNS, connect timeout


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a target (or a check before sending) refused one field.

    `unique` says that another account holds the value: a conflict between two people, not a
    permanent refusal of this one. `message` is the target's own words, at most 300 characters.
    """

    message: str
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """The HTTP side of an outcome, for the audit. Never holds a body or a credential."""

    method: str
    path: str  # path and query as sent, without scheme, host and credentials
    status: int | None = None  # None: no complete status line arrived
    duration_s: float = 0.0
    request_id: str | None = None  # what the target knows the request by: its own id, or ours if it takes one


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer, classified. `record` is set whenever a whole object of the right id came back."""

    kind: OutcomeKind
    exchange: Exchange
    record: Record | None = None
    fields: Mapping[str, Rejection] = field(default_factory=dict)  # REJECTED
    wrong: tuple[str, ...] = ()  # NOT_APPLIED, UNVERIFIED: the sent fields it concerns
    retry_after_s: float | None = None  # THROTTLED, never more than 6 h
    remote_id: str | None = None  # APPLIED by `create`: the new account
    digests: Mapping[str, str] = field(default_factory=dict)  # opaque fields: SHA-256 of what was sent
    detail: str = ""  # one line in plain words, at most 300 characters, no secret


@dataclass(frozen=True, slots=True)
class Match:
    """One account that answers to a correlation value. `matched` names the fields that agreed."""

    remote_id: str
    record: Record
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search: `outcome.kind` is OBSERVED when the search itself worked."""

    outcome: Outcome
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `cursor` is None after the last page."""

    outcome: Outcome
    records: tuple[tuple[str, Record], ...] = ()  # (remote id, record)
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one entry of a target's own log. `at` is the target's own text of the time.

    `by` is the user name of who did it, as it is today; None where the log leaves it out.
    """

    field: str
    value: Json  # decoded: what the field was changed to
    by: str | None
    at: str


@dataclass(frozen=True, slots=True)
class History:
    """What a target's own log tells about one account, newest first; not necessarily all of it."""

    outcome: Outcome
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a connection check found. `problems` are sentences that say the way out.

    `missing` are rights that a connector of this style can use and our token was seen not to have;
    what the target does not tell is in neither list. `expires_at` is UTC text, `never` where the
    target says so, None where it does not tell. `shown` are the fields that an account was seen
    with (a container stands for all below it), None where none could be looked at.
    """

    reachable: bool
    healthy: bool  # reachable, our token is accepted and may change users
    version: str | None = None
    owner: str | None = None  # user name of the account our token belongs to
    owner_id: str | None = None
    rights: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    expires_at: str | None = None
    shown: frozenset[str] | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be found out, and what follows from it
