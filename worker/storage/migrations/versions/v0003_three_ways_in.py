"""The three ways in: imports, reconciliations, enrolments, aliases of people, the HTTP API."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A record may go where an archive has it: at or below the floor of its stream, and nowhere else.
_SQLITE_FLOOR = (
    "DROP TRIGGER audit_no_delete",
    (
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
        " WHEN NOT EXISTS (SELECT 1 FROM audit_floor WHERE stream = OLD.stream AND seq >= OLD.seq)"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_floor_no_update BEFORE UPDATE ON audit_floor"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_floor_no_delete BEFORE DELETE ON audit_floor"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_floor_rises BEFORE INSERT ON audit_floor"
        " WHEN EXISTS (SELECT 1 FROM audit_floor WHERE stream = NEW.stream AND seq >= NEW.seq)"
        " OR NOT EXISTS"
        " (SELECT 1 FROM audit WHERE stream = NEW.stream AND seq = NEW.seq AND hash = NEW.hash)"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only: a floor rises to one of its records'); END"
    ),
)
# The search path is ours: a temporary table of that name would else stand for the floors.
_POSTGRESQL_FLOOR = (
    "DROP TRIGGER audit_no_change ON audit",
    (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    ),
    (
        "CREATE FUNCTION audit_keep_above_floor() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = {schema}, pg_temp AS"
        " $$ BEGIN"
        " IF EXISTS (SELECT FROM audit_floor f WHERE f.stream = OLD.stream AND f.seq >= OLD.seq)"
        " THEN RETURN OLD; END IF;"
        " RAISE EXCEPTION 'the audit is append-only'; END $$"
    ),
    (
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_keep_above_floor()"
    ),
    (
        "CREATE TRIGGER audit_floor_no_change BEFORE UPDATE OR DELETE ON audit_floor"
        " FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    ),
    (
        "CREATE TRIGGER audit_floor_no_truncate BEFORE TRUNCATE ON audit_floor"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    ),
    (
        "CREATE FUNCTION audit_floor_rises() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = {schema}, pg_temp AS"
        " $$ BEGIN"
        " IF EXISTS (SELECT FROM audit_floor f WHERE f.stream = NEW.stream AND f.seq >= NEW.seq)"
        " OR NOT EXISTS"
        " (SELECT FROM audit a WHERE a.stream = NEW.stream AND a.seq = NEW.seq AND a.hash = NEW.hash)"
        " THEN RAISE EXCEPTION 'the audit is append-only: a floor rises to one of its records'; END IF;"
        " RETURN NEW; END $$"
    ),
    (
        "CREATE TRIGGER audit_floor_rises BEFORE INSERT ON audit_floor"
        " FOR EACH ROW EXECUTE FUNCTION audit_floor_rises()"
    ),
)


def upgrade() -> None:
    _columns()
    _people()
    _imports()
    _sequences()
    _reconciliations()
    _api()
    _retention()


def _columns() -> None:
    op.add_column("identity", sa.Column("merged_into", BIG, nullable=True))
    op.add_column("operator", sa.Column("targets", sa.Text(), nullable=True))
    op.add_column("target", sa.Column("enrolled_at", sa.Double(), nullable=True))
    op.add_column("run", sa.Column("scheduled", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("position", sa.Text(), nullable=True))
    op.create_index("ix_run_scheduled", "run", ["scheduled"], unique=True)
    op.create_index(
        "ix_account_verify_run",
        "account",
        ["verify_run"],
        unique=False,
        postgresql_where=sa.text("verify_run IS NOT NULL"),
        sqlite_where=sa.text("verify_run IS NOT NULL"),
    )


def _people() -> None:
    op.create_table(
        "identity_alias",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("identity_id", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identity.id"], name=op.f("fk_identity_alias_identity_id_identity")
        ),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_identity_alias")),
    )
    op.create_index("ix_identity_alias_identity_id", "identity_alias", ["identity_id"], unique=False)


def _imports() -> None:
    op.create_table(
        "absence",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("source", "subject", name=op.f("pk_absence")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Double(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_snapshot_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("run_id", name=op.f("uq_snapshot_run_id")),
    )
    op.create_index("ix_snapshot_source_id", "snapshot", ["source", "id"], unique=False)
    op.create_table(
        "staged_event",
        sa.Column("run_id", BIG, autoincrement=False, nullable=False),
        sa.Column("n", BIG, autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_staged_event_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "n", name=op.f("pk_staged_event")),
        sa.UniqueConstraint("run_id", "event_id", name=op.f("uq_staged_event_run_id_event_id")),
    )
    op.create_index("ix_staged_event_run_id_subject", "staged_event", ["run_id", "subject"], unique=False)


def _sequences() -> None:
    op.create_table(
        "sequence_mark",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("highest", BIG, nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sequence_mark")),
    )
    op.create_table(
        "sequence_gap",
        sa.Column("id", BIG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first", BIG, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.Column("noticed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequence_gap")),
    )
    op.create_index("ix_sequence_gap_source_first", "sequence_gap", ["source", "first"], unique=False)


def _reconciliations() -> None:
    op.create_table(
        "drift",
        sa.Column("id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=True),
        sa.Column("observed", sa.Text(), nullable=True),
        sa.Column("mends", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_drift_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
        sa.UniqueConstraint("run_id", "remote_id", "field", name=op.f("uq_drift_run_id_remote_id_field")),
    )
    op.create_index("ix_drift_run_id_account_id", "drift", ["run_id", "account_id"], unique=False)
    op.create_table(
        "listed",
        sa.Column("run_id", BIG, autoincrement=False, nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_listed_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "remote_id", name=op.f("pk_listed")),
    )
    op.create_table(
        "proposal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("identity_id", BIG, nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_proposal_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint(
            "run_id", "remote_id", "identity_id", name=op.f("uq_proposal_run_id_remote_id_identity_id")
        ),
    )
    op.create_index("ix_proposal_run_id_identity_id", "proposal", ["run_id", "identity_id"], unique=False)
    op.create_index("ix_proposal_run_id_verdict_id", "proposal", ["run_id", "verdict", "id"], unique=False)


def _api() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"], unique=False)
    op.create_table(
        "refused_body",
        sa.Column("id", BIG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_body")),
    )
    op.create_index("ix_refused_body_at", "refused_body", ["at"], unique=False)


def _retention() -> None:
    op.create_table(
        "audit_floor",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_audit_floor")),
    )
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for statement in _SQLITE_FLOOR:
            op.execute(statement)
        return
    schema = bind.execute(sa.select(sa.func.current_schema())).scalar_one()
    quoted = bind.dialect.identifier_preparer.quote_identifier(schema)
    for statement in _POSTGRESQL_FLOOR:
        bind.exec_driver_sql(statement.format(schema=quoted))
