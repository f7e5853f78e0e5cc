"""Emptying the database of a target, so that the next account has id 1 again."""

from __future__ import annotations

from django.apps import apps
from django.db import connection


def wipe() -> None:
    """Delete every row. Call inside a transaction: foreign keys are checked when it commits."""
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608 - a name from our own models
        cursor.execute("DELETE FROM sqlite_sequence")
