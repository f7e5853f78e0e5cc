"""What HR said: events, people, what files and the broker brought."""

from __future__ import annotations

import sqlalchemy as sa

from worker.storage.tables.columns import BigId, JsonText, Time, metadata, row_id

event = sa.Table(
    "event",
    metadata,
    row_id(),
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
    row_id(),
    sa.Column("subject", sa.Text, nullable=False, unique=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("attributes", JsonText, nullable=False),
    sa.Column("snapshots", JsonText, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("wake_at", Time),  # when a date of the person comes: its accounts are looked at again
    sa.Column("merged_into", BigId),  # the same person: no account of this row is worked on any more
    sa.Index(
        "ix_identity_wake_at",
        "wake_at",
        postgresql_where=sa.text("wake_at IS NOT NULL"),
        sqlite_where=sa.text("wake_at IS NOT NULL"),
    ),
)

identity_alias = sa.Table(  # numbers that a person had before HR gave them another, or that were merged
    "identity_alias",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("identity_id", BigId, sa.ForeignKey("identity.id"), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index("ix_identity_alias_identity_id", "identity_id"),
)

identity_name = sa.Table(  # what people are and were called: names are reused
    "identity_name",
    metadata,
    sa.Column("attribute", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),  # without regard to case
    sa.Column("identity_id", BigId, sa.ForeignKey("identity.id"), primary_key=True, autoincrement=False),
    sa.Index("ix_identity_name_identity_id", "identity_id"),
)

staged_event = sa.Table(  # what an import brings, until its run was judged
    "staged_event",
    metadata,
    sa.Column("run_id", BigId, sa.ForeignKey("run.id"), primary_key=True, autoincrement=False),
    sa.Column("n", BigId, primary_key=True, autoincrement=False),  # the line; below 0: who is absent
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text),
    sa.Column("body", sa.Text),  # null: the person was named, or missed, and nothing is said
    sa.UniqueConstraint("run_id", "event_id"),
    sa.Index("ix_staged_event_run_id_subject", "run_id", "subject"),
)

snapshot = sa.Table(  # files that were imported, once all that they say was accepted
    "snapshot",
    metadata,
    row_id(),
    sa.Column("run_id", BigId, sa.ForeignKey("run.id"), nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("as_of", Time, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index("ix_snapshot_source_id", "source", "id"),
)

absence = sa.Table(  # whom the last complete file of a source did not name
    "absence",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("run_id", BigId, nullable=False),  # the first that missed them
)

sequence_mark = sa.Table(  # the highest `sequence` of a source that publishes to the broker
    "sequence_mark",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("highest", BigId, nullable=False),
)

sequence_gap = sa.Table(  # numbers below it that never came
    "sequence_gap",
    metadata,
    row_id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("first", BigId, nullable=False),
    sa.Column("last", BigId, nullable=False),
    sa.Column("noticed_at", Time, nullable=False),
    sa.Index("ix_sequence_gap_source_first", "source", "first"),
)
