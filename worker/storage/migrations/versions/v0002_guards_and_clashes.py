"""Operators and their decisions, unique values, leases by name, wake-ups, fingerprints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _columns()
    _operators()
    _clashes()


def _columns() -> None:
    op.add_column("identity", sa.Column("wake_at", sa.Double(), nullable=True))
    op.create_index(
        "ix_identity_wake_at",
        "identity",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
        sqlite_where=sa.text("wake_at IS NOT NULL"),
    )
    op.add_column("target", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("alone", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("decided", BIG, nullable=True))
    op.add_column("account", sa.Column("mapping_hash", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("plan_hash", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("note", sa.Text(), nullable=True))


def _operators() -> None:
    op.create_table(
        "operator",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("name", name=op.f("uq_operator_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_operator_token_hash")),
    )
    op.create_table(
        "decision",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("binds", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_decision_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_account_id_id", "decision", ["account_id", "id"], unique=False)


def _clashes() -> None:
    op.create_table(
        "unique_value",
        sa.Column("target_id", BIG, autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_unique_value_account_id_account")
        ),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_unique_value_target_id_target")),
        sa.PrimaryKeyConstraint(
            "target_id", "field", "value_hash", "account_id", name=op.f("pk_unique_value")
        ),
    )
    op.create_index("ix_unique_value_account_id", "unique_value", ["account_id"], unique=False)
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
