"""The audit, who may act, and who does what only one may do at a time."""

from __future__ import annotations

import sqlalchemy as sa

from worker.storage.tables.columns import BigId, JsonText, Time, metadata, row_id

audit = sa.Table(
    "audit",
    metadata,
    row_id(),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("seq", BigId, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("identity_id", BigId),
    sa.Column("latency_s", sa.Double),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.UniqueConstraint("stream", "seq"),
    sa.Index("ix_audit_identity_id_id", "identity_id", "id"),
    sa.Index("ix_audit_action_at", "action", "at"),
    sa.Index(  # freshness
        "ix_audit_latency",
        "stream",
        "at",
        "latency_s",
        postgresql_where=sa.text("latency_s IS NOT NULL"),
        sqlite_where=sa.text("latency_s IS NOT NULL"),
    ),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("seq", BigId, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

audit_floor = sa.Table(  # up to where a stream was archived and dropped; only ever added to
    "audit_floor",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("seq", BigId, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.Text, nullable=False),  # of that record: the chain goes on behind it
    sa.Column("file", sa.Text, nullable=False),  # the archive's name, without its folder
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
)

operator = sa.Table(
    "operator",
    metadata,
    row_id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),  # viewer | operator | approver | admin
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time),
    sa.Column("revoked_at", Time),
    sa.Column("targets", JsonText),  # the names that the token is good for; null: all
)

idempotency = sa.Table(  # answers to requests that may come again
    "idempotency",
    metadata,
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.Text, nullable=False),
    sa.Column("status", sa.Integer),  # null: the first one is still at work
    sa.Column("body", sa.Text),
    sa.Column("at", Time, nullable=False),
    sa.Index("ix_idempotency_at", "at"),
)

refused_body = sa.Table(  # the first bytes of what an authenticated sender sent and we refused
    "refused_body",
    metadata,
    row_id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text),
    sa.Column("pointer", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index("ix_refused_body_at", "at"),
)

heartbeat = sa.Table(  # which processes live, and when something was last done, by the database's clock
    "heartbeat",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # worker | beat; mark: what was last done
    sa.Column("at", Time, nullable=False),
)

lease = sa.Table(  # who does what only one may do at a time
    "lease",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text),
    sa.Column("until", Time, nullable=False),
)

alarm = sa.Table(
    "alarm",
    metadata,
    row_id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("target_id", BigId),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("raised_at", Time, nullable=False),
    sa.Column("cleared_at", Time),
)
