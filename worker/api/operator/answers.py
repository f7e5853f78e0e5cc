"""The form of each answer, for the description; the same as that of the commands' `--json`.

The documents are made in `worker.views`; a test holds them to these forms. Moments are RFC 3339.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Anything: TypeAlias = Any
"""A JSON value of HR or of a target."""


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(Answer):
    """`next`: the cursor of the page behind this one; null: there is none."""

    next: str | None


class Freshness(Answer):
    count: int
    p50_s: float
    p95_s: float
    p99_s: float


class TargetStatus(Answer):
    name: str
    connector: str | None
    mode: str | None
    state: str
    reason: str | None
    gated_for_s: float | None
    accounts: int
    due: int
    oldest_due_s: float | None
    in_flight: int
    later: int
    in_doubt: int
    oldest_in_doubt_s: float | None
    held: int
    freshness: Freshness | None


class Alarm(Answer):
    kind: str
    target: str | None
    message: str
    raised_at: str


class Status(Answer):
    at: str
    freshness_window_s: float
    targets: list[TargetStatus]
    events_to_fold: int
    events_for_later: int
    dates_ahead: int
    open_runs: int
    alarms: list[Alarm]


class Target(Answer):
    name: str
    connector: str
    base_url: str | None
    mode: str
    state: str
    max_in_flight: int
    rate_per_s: float | None
    reason: str | None
    enrolled_at: str | None


class Targets(Answer):
    targets: list[Target]


class Changed(Answer):
    """`changed` is false where it was so already."""

    target: str
    state: str
    changed: bool


class Attribute(Answer):
    value: Anything
    former: list[Anything]
    revision: int
    source: str
    event: str | None
    time: str | None
    correlation: str | None


class Account(Answer):
    target: str
    remote_id: str | None
    acknowledged: int
    state: str
    held: list[str]
    due_at: str | None
    observed_at: str | None


class Alias(Answer):
    """An HR key of before; `merged`: it was another person's row."""

    subject: str
    by: str
    at: str
    merged: bool


class Person(Answer):
    subject: str
    revision: int
    aliases: list[Alias]
    wake_at: str | None
    attributes: dict[str, Attribute]
    waiting_events: list[str]
    accounts: list[Account]


class Rekeyed(Answer):
    """`subject` is the HR key from now on. `done` is false where it was only to be shown."""

    subject: str
    alias: str
    revision: int
    done: bool


class SaidOfBoth(Answer):
    """One attribute: as it was said of each, and as it is afterwards."""

    gone: Anything = Field(alias="from")
    into: Anything
    after: Anything
    changes: bool


class AccountOfBoth(Answer):
    """The account of each at a target, and what becomes of it."""

    target: str
    gone: str | None = Field(alias="from")
    into: str | None
    fate: str


class Merged(Answer):
    """`leaver`: whether it makes one of somebody who is none. `hash` is what doing it binds to."""

    gone: str = Field(alias="from")
    into: str
    revision: int
    agrees: list[str]
    leaver: bool
    attributes: dict[str, SaidOfBoth]
    accounts: list[AccountOfBoth]
    hash: str
    done: bool


class Unlinked(Answer):
    """The link before; there is none now."""

    target: str
    subject: str
    former: str | None
    remote_id: None


class Linked(Answer):
    """The account as the target showed it, and the link that it replaces. `hash` is what linking binds to."""

    target: str
    subject: str
    former: str | None
    remote_id: str
    name: Anything
    agrees: list[str]
    differs: list[dict[str, Anything]]
    rights: dict[str, Anything]
    hash: str
    done: bool


class Moment(Answer):
    text: str
    at: str | None


class Hold(Answer):
    field: str
    reason: str
    message: str
    since: str
    way_out: str


class Story(Answer):
    """As `hirewire explain --json`."""

    subject: str
    waiting_events: list[str]
    accounts: list[dict[str, Anything]]


class PlannedHold(Hold):
    may_be_approved: bool


class PlannedRequest(Answer):
    method: str
    path: str | None
    body: dict[str, Anything]
    exact: bool
    revocation: bool
    approved: list[str]
    changes: list[dict[str, Anything]]


class Approval(Answer):
    field: str
    by: str
    until: str


class Brake(Answer):
    lost_rights: int
    limit: int


class AccountPlan(Answer):
    target: str
    subject: str
    remote_id: str | None
    mode: str
    revision: int
    acknowledged: int
    verdict: str
    reasons: list[Moment]
    requests: list[PlannedRequest]
    held: list[PlannedHold]
    approvals: list[Approval]
    brake: Brake | None


class PlannedEvent(Answer):
    event: str
    source: str
    stored: bool
    effect: str
    changes: list[str]
    revision: int


class PersonPlan(Answer):
    subject: str
    known: bool
    events: list[PlannedEvent]
    accounts: list[AccountPlan]


class PeoplePlan(Answer):
    people: list[PersonPlan]
    notes: list[str]
    refused: list[str]
    more: bool


class AccountsPlan(Answer):
    """`counts`: target to verdict to the number of accounts."""

    accounts: list[AccountPlan]
    counts: dict[str, dict[str, int]]
    more: bool


class Run(Answer):
    """`note` is what was counted, and who decided."""

    run: int
    kind: str
    state: str
    selection: dict[str, Anything]
    judged: int
    marked: int
    requested_by: str
    requested_at: str
    finished_at: str | None
    plan: str | None
    note: dict[str, Anything]


class RunLook(Run):
    waiting: int


class Runs(Page):
    runs: list[Run]


class DriftRow(Answer):
    """`subject` null: nobody's account. `mended`: a repair sends something for it."""

    subject: str | None
    account: str
    field: str
    cause: str
    wanted: Anything
    observed: Anything
    mended: bool
    asked_at: str
    changed_by: str | None
    changed_at: str | None


class Drifts(Page):
    drift: list[DriftRow]


class Proposal(Answer):
    """`account` null: a person without one; `subject` null: nobody's account."""

    verdict: str
    account: str | None
    name: Anything
    subject: str | None
    agrees: list[str]
    linked_to: str | None


class Proposals(Page):
    proposals: list[Proposal]


class HeldField(Answer):
    target: str
    subject: str
    remote_id: str | None
    field: str
    reason: str
    message: str
    since: str


class HeldFields(Page):
    held: list[HeldField]


class Decidable(Answer):
    """One held field with all that a decision needs; `hash` is what it binds to."""

    target: str
    subject: str
    remote_id: str | None
    field: str
    reason: str | None
    message: str | None
    since: str | None
    before: Anything
    after: Anything
    may_be_approved: bool
    approved_by: str | None
    approved_until: str | None
    hash: str


class Decidables(Answer):
    held: list[Decidable]


class Decided(Answer):
    target: str
    subject: str
    field: str
    decision: str
    hash: str


class Alarms(Page):
    alarms: list[Alarm]


class Records(Page):
    """Audit records, the newest first, each with the text that is chained."""

    records: list[dict[str, Anything]]
