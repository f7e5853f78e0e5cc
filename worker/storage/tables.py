"""The tables. Times are seconds since the epoch (double); JSON is canonical text.

The invariants that SQL can hold live here: one event per (source, id), one account per (identity,
target) and per (target, remote id), one audit row per (stream, seq). The migrations create the same
tables; a test compares the two.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time: sa.Double[float] = sa.Double()


class JsonText(sa.types.TypeDecorator[Any]):
    """JSON as compact text with sorted keys; NULL is SQL's null, never JSON's."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        return None if value is None else json.loads(value)


def _id() -> sa.Column[int]:
    return sa.Column("id", BigId, primary_key=True)


event = sa.Table(
    "event",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("body_hash", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("time", Time, nullable=False),
    sa.Column("order_key", sa.Text, nullable=False),
    sa.Column("snapshot", sa.Boolean, nullable=False),
    sa.Column("assertions", JsonText, nullable=False),
    sa.Column("correlation", sa.Text, nullable=False),
    sa.Column("accepted_at", Time, nullable=False),
    sa.Column("fold_at", Time),  # null: folded
    sa.Column("identity_id", BigId),
    sa.Column("revision", sa.Integer),  # the identity's revision that it made
    sa.Column("effect", sa.Text),  # changed | unchanged | superseded; aside: folding it failed, again later
    sa.UniqueConstraint("source", "event_id"),
    sa.Index(
        "ix_event_due",
        "fold_at",
        "id",
        postgresql_where=sa.text("fold_at IS NOT NULL"),
        sqlite_where=sa.text("fold_at IS NOT NULL"),
    ),
    sa.Index("ix_event_identity_revision", "identity_id", "revision"),
)

identity = sa.Table(
    "identity",
    metadata,
    _id(),
    sa.Column("subject", sa.Text, nullable=False, unique=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("attributes", JsonText, nullable=False),
    sa.Column("snapshots", JsonText, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("wake_at", Time),  # when a date of the person comes: its accounts are looked at again
    sa.Index(
        "ix_identity_wake_at",
        "wake_at",
        postgresql_where=sa.text("wake_at IS NOT NULL"),
        sqlite_where=sa.text("wake_at IS NOT NULL"),
    ),
)

identity_name = sa.Table(  # what people are and were called: names are reused
    "identity_name",
    metadata,
    sa.Column("attribute", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),  # without regard to case
    sa.Column("identity_id", BigId, sa.ForeignKey("identity.id"), primary_key=True, autoincrement=False),
    sa.Index("ix_identity_name_identity_id", "identity_id"),
)

target = sa.Table(
    "target",
    metadata,
    _id(),
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
    _id(),
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

audit = sa.Table(
    "audit",
    metadata,
    _id(),
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

revocation = sa.Table(
    "revocation",
    metadata,
    _id(),
    sa.Column("target_id", BigId, sa.ForeignKey("target.id"), nullable=False),
    sa.Column("account_id", BigId, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index("ix_revocation_target_id_at", "target_id", "at"),
)

run = sa.Table(
    "run",
    metadata,
    _id(),
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
)

operator = sa.Table(
    "operator",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),  # viewer | operator | approver | admin
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time),
    sa.Column("revoked_at", Time),
)

decision = sa.Table(
    "decision",
    metadata,
    _id(),
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
    _id(),
    sa.Column("account_id", BigId, nullable=False),
    sa.Column("target_id", BigId, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value_hash", sa.Text, nullable=False),
    sa.Index("ix_unique_news_account_id", "account_id"),
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
    _id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("target_id", BigId),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("raised_at", Time, nullable=False),
    sa.Column("cleared_at", Time),
)
