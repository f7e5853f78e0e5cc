"""Targets and the work at them: an account is the work item."""

from __future__ import annotations

import sqlalchemy as sa

from worker.storage.tables.columns import BigId, JsonText, Time, metadata, row_id

target = sa.Table(
    "target",
    metadata,
    row_id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),  # active | paused
    sa.Column("reason", sa.Text),
    sa.Column("paused_by", sa.Text),  # hirewire (resumed by a probe) | an operator
    sa.Column("gate_until", Time),
    sa.Column("probe_at", Time),
    sa.Column("pauses", sa.Integer, nullable=False, server_default=sa.text("0")),  # alike, without a success
    sa.Column("pause_kind", sa.Text),  # what they were for
    sa.Column("fingerprint", sa.Text),  # of the configuration that may be worked with
    sa.Column("mapping_run", BigId),  # the run that judges it; accounts of another mapping wait for that
    sa.Column("enrolled_at", Time),  # when its listing was last compared with the people whom HR spoke of
)

slot = sa.Table(
    "slot",
    metadata,
    sa.Column("target_id", BigId, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.Text),
    sa.Column("leased_until", Time, nullable=False),
    sa.Column("next_send_at", Time, nullable=False),
)

account = sa.Table(
    "account",
    metadata,
    row_id(),
    sa.Column("identity_id", BigId, sa.ForeignKey("identity.id"), nullable=False),
    sa.Column("target_id", BigId, sa.ForeignKey("target.id"), nullable=False),
    sa.Column("shard", sa.SmallInteger, nullable=False),
    sa.Column("remote_id", sa.Text),
    sa.Column("applied_revision", sa.Integer, nullable=False),
    sa.Column("due_at", Time),  # null: nothing to do; leased: when the lease ends
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("pending_since", Time),  # when the oldest unacknowledged event was accepted
    sa.Column("verify_at", Time),  # someone asked for a read; cleared by a later settle
    sa.Column("verify_run", BigId),  # the run that asked for it
    sa.Column("lease_token", sa.Text),
    sa.Column("doubt_at", Time),  # when the write was intended whose outcome is not known yet
    sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),  # claimed as a crash suspect
    sa.Column("decided", BigId),  # the newest decision of an operator about it
    sa.Column("mapping_hash", sa.Text),  # of the mapping that it was last planned with
    sa.Column("state", JsonText, nullable=False),  # worker.storage.codec: the rest of an Account
    sa.Column("held", JsonText),  # null: nothing is held
    sa.UniqueConstraint("identity_id", "target_id"),
    sa.UniqueConstraint("target_id", "remote_id"),
    sa.Index(
        "ix_account_due",
        "target_id",
        "shard",
        "priority",
        "due_at",
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    ),
    sa.Index(  # how far a run's reads are
        "ix_account_verify_run",
        "verify_run",
        postgresql_where=sa.text("verify_run IS NOT NULL"),
        sqlite_where=sa.text("verify_run IS NOT NULL"),
    ),
    sa.Index(
        "ix_account_lease_token",
        "lease_token",
        postgresql_where=sa.text("lease_token IS NOT NULL"),
        sqlite_where=sa.text("lease_token IS NOT NULL"),
    ),
    sa.Index(
        "ix_account_doubt",
        "target_id",
        "doubt_at",
        postgresql_where=sa.text("doubt_at IS NOT NULL"),
        sqlite_where=sa.text("doubt_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_account_held",
        "target_id",
        postgresql_where=sa.text("held IS NOT NULL"),
        sqlite_where=sa.text("held IS NOT NULL"),
    ),
)

revocation = sa.Table(
    "revocation",
    metadata,
    row_id(),
    sa.Column("target_id", BigId, sa.ForeignKey("target.id"), nullable=False),
    sa.Column("account_id", BigId, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index("ix_revocation_target_id_at", "target_id", "at"),
)

decision = sa.Table(
    "decision",
    metadata,
    row_id(),
    sa.Column("account_id", BigId, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("word", sa.Text, nullable=False),  # retry | discard | approve | reject
    sa.Column("binds", sa.Text, nullable=False),  # digest of what was decided on
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("until", Time),
    sa.Index("ix_decision_account_id_id", "account_id", "id"),
)

unique_value = sa.Table(  # who holds, or waits for, a value that only one account of a target may have
    "unique_value",
    metadata,
    sa.Column("target_id", BigId, sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("value_hash", sa.Text, primary_key=True),
    sa.Column("account_id", BigId, sa.ForeignKey("account.id"), primary_key=True, autoincrement=False),
    sa.Column("waiting", sa.Boolean, nullable=False),
    sa.Index("ix_unique_value_account_id", "account_id"),
)

unique_news = sa.Table(  # a value that the account waits for moved; a foreign key would lock the account
    "unique_news",
    metadata,
    row_id(),
    sa.Column("account_id", BigId, nullable=False),
    sa.Column("target_id", BigId, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value_hash", sa.Text, nullable=False),
    sa.Index("ix_unique_news_account_id", "account_id"),
)
