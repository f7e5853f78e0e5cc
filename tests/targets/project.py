"""The Django project of one style, configured in this process with a database of its own.

Tables are made straight from the models: there is nothing to migrate in a database that lives for
one process. Call `start` once; Django cannot be configured twice.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from tests.targets.style import Style

# Durability is worth nothing here; concurrent writers are.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA busy_timeout=20000"

# Tracebacks of HTTP 500 on standard error, the deliberate ones too.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": True,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR"}},
}

# REST framework tries them for features that no style uses; not importing them halves the start.
UNUSED_IMPORTS = ("psycopg", "requests")


def start(style: Style, folder: Path) -> Any:
    """Configure, create the tables, return the WSGI application."""
    settings.configure(**_settings(style, folder))
    for name in UNUSED_IMPORTS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    django.setup()
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)
    import_module(style.urlconf)  # now, not in somebody's first request
    return get_wsgi_application()


def _settings(style: Style, folder: Path) -> dict[str, Any]:
    return {
        "DEBUG": False,
        "SECRET_KEY": "reference-target",
        "ALLOWED_HOSTS": ["*"],
        "ROOT_URLCONF": style.urlconf,
        "INSTALLED_APPS": [
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "tests.targets.tokens",
            *style.apps,
        ],
        "MIDDLEWARE": [*style.middleware, "django.middleware.common.CommonMiddleware"],
        "DATABASES": {"default": _database(folder)},
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LOGGING": LOGGING,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": None,
        "REST_FRAMEWORK": {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    }


def _database(folder: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "target.db",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"init_command": SQLITE_PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 20},
    }
