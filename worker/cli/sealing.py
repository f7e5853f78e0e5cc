"""`hirewire audit key`, `baseline` and `seal`: what anchors the audit outside the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from connectors.sdk.model import Json
from worker.anchors import build_sealer, checkpoint_path
from worker.cli.common import ConfigOption, JsonOption, settings_of
from worker.cli.failures import UsageError, refusing
from worker.cli.output import document, hint, line
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_or_user, reason_given
from worker.domain.operator import Role
from worker.storage.checkpoints import Checkpoint, Kind
from worker.storage.seal import SealError
from worker.storage.signing import new_key


def key(file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes.")]) -> None:
    """Make an Ed25519 key that signs checkpoints: the private half into FILE, the public one is printed.

    Example: hirewire audit key secrets/audit_key
    """
    private, public = new_key()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened_file:
            opened_file.write(private)
    except OSError as error:
        raise UsageError(f"{file} cannot be made: {error.strerror}") from None
    line(public.rstrip())
    hint(f"the private key is in {file}; give what is printed to those who verify")


def baseline(
    why: WhyOption,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin the checkpoints, or begin them anew: the audit counts as it stands, whatever was sealed before.

    Needed once when a key is set, and where the checkpoint file was lost. Verification shows each one, with
    who and why. Needs an admin's token where operators exist.

    Example: hirewire audit baseline --why "first checkpoint with a key"
    """
    reason, settings = reason_given(why), settings_of(config)
    with opened(settings) as store:
        by = principal_or_user(store, "audit:baseline", Role.ADMIN, token_file)
        with refusing(SealError):
            made = build_sealer(settings, store).begin(Kind.BASELINE, {"by": by.actor, "why": reason})
    _told(made, checkpoint_path(settings), as_json=as_json)


def seal(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Append a checkpoint now, as the sealer does each interval: before an export, a backup, a shutdown.

    Example: hirewire audit seal
    """
    settings = settings_of(config)
    with opened(settings) as store, refusing(SealError):
        made = build_sealer(settings, store).seal()
    _told(made, checkpoint_path(settings), as_json=as_json)


def _told(made: Checkpoint | None, path: Path, *, as_json: bool) -> None:
    if as_json:
        found: Json = None if made is None else dict(made.facts)
        document({"file": str(path), "checkpoint": found})
    elif made is None:
        line(f"nothing was added since the last checkpoint in {path}")
    else:
        records = sum(head.size for head in made.streams.values())
        signed = "signed" if made.is_signed else "not signed"
        line(
            f"checkpoint {made.number} in {path}, {signed}: {records} records in {len(made.streams)} streams"
        )
