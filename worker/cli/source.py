"""`hirewire source`: what a sender shows or signs with, made here and shown once. Nothing is kept."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Annotated

import typer
from typer.core import TyperGroup

from config.settings import SECRET_PREFIX, Settings
from worker.cli.common import ConfigOption, group, settings_of
from worker.cli.failures import UsageError
from worker.cli.output import hint, line, nearest

_BYTES = 32
_KEY_PREFIX = "hwk_"

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="A configured source.")]
Name = Annotated[str, typer.Option(metavar="NAME", help="What the configuration is to call it.")]


def command() -> TyperGroup:
    return group("source", source, {"key": key, "secret": secret})


def source() -> None:
    """Make what a sender proves with who it is: an API key, or a secret to sign with."""


def key(name: Source, called: Name = "first", config: ConfigOption = None) -> None:
    """Make an API key of 256 random bits; it is shown once, the configuration has its SHA-256.

    Standard output is the key; what belongs into the configuration is on standard error.

    Example: hirewire source key hr --called spring
    """
    _require(settings_of(config), name)
    made = _KEY_PREFIX + secrets.token_urlsafe(_BYTES)
    line(made)
    hint("The key above is shown this once: give it to the sender. Add to the configuration:")
    hint(f"[sources.{name}.keys.{called}]")
    hint(f'sha256 = "{hashlib.sha256(made.encode()).hexdigest()}"')


def secret(name: Source, called: Name = "first", config: ConfigOption = None) -> None:
    """Make a secret of 256 random bits for signatures (Standard Webhooks); sender and Hirewire both keep it.

    Standard output is the secret, for a file that only we can read; the rest is on standard error.

    Example: hirewire source secret hr --called spring
    """
    _require(settings_of(config), name)
    line(SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode())
    hint("Give the secret above to the sender, and keep it in a file of mode 600. Add to the configuration:")
    hint(f"[sources.{name}.secrets.{called}]")
    hint(f'secret_file = "secrets/{name}_{called}"')


def _require(settings: Settings, name: str) -> None:
    known = sorted(settings.sources)
    if name not in known:
        raise UsageError(f"no source is called {name!r}{nearest(name, known)}")
