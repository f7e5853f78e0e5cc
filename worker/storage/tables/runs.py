"""Operations over many accounts, and what they found."""

from __future__ import annotations

import sqlalchemy as sa

from worker.storage.tables.columns import BigId, JsonText, Time, metadata, row_id

run = sa.Table(
    "run",
    metadata,
    row_id(),
    sa.Column("kind", sa.Text, nullable=False),  # resync | mapping
    sa.Column("state", sa.Text, nullable=False),  # worker.engine.ports.RunState
    sa.Column("selection", JsonText, nullable=False),
    sa.Column("cursor", BigId, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("finished_at", Time),
    sa.Column("plan_hash", sa.Text),  # of the list of (account, change) that an approval is for
    sa.Column("note", JsonText),  # what was counted, and who decided
    sa.Column("scheduled", sa.Text),  # target and slot, of a run that the schedule asked for
    sa.Column("position", JsonText),  # where a listing or a file goes on
    sa.Index("ix_run_scheduled", "scheduled", unique=True),
)

drift = sa.Table(  # what a reconciliation found different, field by field
    "drift",
    metadata,
    row_id(),
    sa.Column("run_id", BigId, sa.ForeignKey("run.id"), nullable=False),
    sa.Column("remote_id", sa.Text, nullable=False),
    sa.Column("account_id", BigId),  # null: a stranger
    sa.Column("subject", sa.Text),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),  # worker.domain.drift.Cause
    sa.Column("wanted", JsonText),
    sa.Column("observed", JsonText),
    sa.Column("mends", sa.Boolean, nullable=False),  # a repair would send something
    sa.Column("asked_at", Time, nullable=False),  # when its page was asked for
    sa.Column("changed_by", sa.Text),  # of what was changed outside: the user name that the target's log has
    sa.Column("changed_at", sa.Text),  # and when, in the target's own words
    sa.UniqueConstraint("run_id", "remote_id", "field"),
    sa.Index("ix_drift_run_id_account_id", "run_id", "account_id"),
)

listed = sa.Table(  # the accounts that a run has met in its target's listing; gone with the run's end
    "listed",
    metadata,
    sa.Column("run_id", BigId, sa.ForeignKey("run.id"), primary_key=True, autoincrement=False),
    sa.Column("remote_id", sa.Text, primary_key=True),
)

proposal = sa.Table(  # what an enrolment would link, with its evidence
    "proposal",
    metadata,
    row_id(),
    sa.Column("run_id", BigId, sa.ForeignKey("run.id"), nullable=False),
    sa.Column("remote_id", sa.Text),  # null: a person without an account
    sa.Column("identity_id", BigId),  # null: an account that is nobody's
    sa.Column("verdict", sa.Text, nullable=False),  # worker.domain.enrol.Verdict
    sa.Column("named", sa.Boolean, nullable=False),  # the account has a name that the person has or had
    sa.Column("evidence", JsonText, nullable=False),
    sa.UniqueConstraint("run_id", "remote_id", "identity_id"),
    sa.Index("ix_proposal_run_id_identity_id", "run_id", "identity_id"),
    sa.Index("ix_proposal_run_id_verdict_id", "run_id", "verdict", "id"),
)
