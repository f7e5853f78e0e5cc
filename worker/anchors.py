"""Which checkpoint file and which keys the configuration means. Light on purpose, as `worker.databases`."""

from __future__ import annotations

from pathlib import Path

from config.secrets import SecretError, read_secret_text
from config.settings import Settings
from worker.storage.seal import Ledger, Sealer
from worker.storage.signing import Keys, Signer, SigningKeyError, read_public, read_signer
from worker.storage.store import SqlStore

CHECKPOINTS_FILE = "checkpoints.jsonl"


def checkpoint_path(settings: Settings) -> Path:
    return settings.audit.checkpoint_file or settings.state_dir / CHECKPOINTS_FILE


def build_sealer(settings: Settings, store: SqlStore) -> Sealer:
    ledger = Ledger(checkpoint_path(settings), lambda: signing_keys(settings))
    return Sealer(store, ledger, settings.audit.seal_every_s)


def signing_keys(settings: Settings) -> Keys:
    """The key to sign with, and all that may have signed. Raises SecretError, SigningKeyError."""
    signer = _signer(settings.audit.signing_key_file)
    ours = {signer.name: signer.public} if signer else {}
    return Keys(signer, {**ours, **public_keys(settings.audit.verify_key_file).trusted})


def verifying_keys(settings: Settings) -> Keys:
    """As `signing_keys`, without the private key where the public one is at hand."""
    if settings.audit.verify_key_file is not None:
        return public_keys(settings.audit.verify_key_file)
    return Keys(None, signing_keys(settings).trusted)


def public_keys(path: Path | None) -> Keys:
    """The public keys of a PEM file, which is no secret. Raises SecretError, SigningKeyError."""
    if path is None:
        return Keys()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretError(f"cannot be read: {why} ({path})") from None
    try:
        return Keys(None, read_public(text))
    except SigningKeyError as error:
        raise SigningKeyError(f"{error} ({path})") from None


def _signer(path: Path | None) -> Signer | None:
    if path is None:
        return None
    try:
        return read_signer(read_secret_text(path))
    except SigningKeyError as error:
        raise SigningKeyError(f"{error} ({path})") from None
