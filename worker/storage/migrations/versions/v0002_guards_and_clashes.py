"""Operators and their decisions, unique values, leases by name, wake-ups, fingerprints."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAMES = ("user_name", "email", "employee_number")
PAGE = 1000


def upgrade() -> None:
    _columns()
    _freshness()
    _operators()
    _names()
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
    op.add_column("target", sa.Column("pauses", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("target", sa.Column("pause_kind", sa.Text(), nullable=True))
    op.add_column("target", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("target", sa.Column("mapping_run", BIG, nullable=True))
    op.add_column("account", sa.Column("alone", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("decided", BIG, nullable=True))
    op.add_column("account", sa.Column("mapping_hash", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("plan_hash", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("note", sa.Text(), nullable=True))


def _freshness() -> None:
    """Which accounts have a write without an outcome, and how long events took, each with its index."""
    op.add_column("account", sa.Column("verify_run", BIG, nullable=True))
    op.add_column("account", sa.Column("doubt_at", sa.Double(), nullable=True))
    doubt_at = "state::json -> 'doubt' ->> 2"
    if op.get_bind().dialect.name == "sqlite":
        doubt_at = "json_extract(state, '$.doubt[2]')"
    op.execute(f"UPDATE account SET doubt_at = CAST({doubt_at} AS double precision) WHERE due_at IS NOT NULL")  # noqa: S608 - our own words
    op.create_index(
        "ix_account_doubt",
        "account",
        ["target_id", "doubt_at"],
        unique=False,
        postgresql_where=sa.text("doubt_at IS NOT NULL"),
        sqlite_where=sa.text("doubt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_latency",
        "audit",
        ["stream", "at", "latency_s"],
        unique=False,
        postgresql_where=sa.text("latency_s IS NOT NULL"),
        sqlite_where=sa.text("latency_s IS NOT NULL"),
    )


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


def _names() -> None:
    """What people are and were called: an attribute is [value, …, former values] in a row's JSON."""
    op.create_table(
        "identity_name",
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identity_id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identity.id"], name=op.f("fk_identity_name_identity_id_identity")
        ),
        sa.PrimaryKeyConstraint("attribute", "name", "identity_id", name=op.f("pk_identity_name")),
    )
    op.create_index("ix_identity_name_identity_id", "identity_name", ["identity_id"], unique=False)
    bind, after = op.get_bind(), 0
    page = sa.text(f"SELECT id, attributes FROM identity WHERE id > :after ORDER BY id LIMIT {PAGE}")  # noqa: S608
    add = sa.text("INSERT INTO identity_name (attribute, name, identity_id) VALUES (:attribute, :name, :row)")
    while rows := bind.execute(page, {"after": after}).all():
        after = rows[-1].id
        names = [name for row in rows for name in _names_of(row.id, json.loads(row.attributes))]
        if names:
            bind.execute(add, names)


def _names_of(row: int, attributes: dict[str, list[Any]]) -> list[dict[str, Any]]:
    found = {
        (attribute, text.strip().casefold()[:200])
        for attribute in NAMES
        if attribute in attributes
        for text in (attributes[attribute][0], *attributes[attribute][5])
        if isinstance(text, str)
    }
    return [{"attribute": attribute, "name": name, "row": row} for attribute, name in sorted(found)]


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
        "unique_news",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unique_news")),
    )
    op.create_index("ix_unique_news_account_id", "unique_news", ["account_id"], unique=False)
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
