"""Alembic's entry: runs on the connection that `worker.storage.migrate` hands over."""

from __future__ import annotations

from alembic import context

from worker.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
