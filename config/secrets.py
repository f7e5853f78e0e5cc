"""Secret files: read again at every use, so that a rotated token is picked up without a restart.

Never holds a secret in a message, and never caches one.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

MOUNTED_SECRETS: Final = Path("/run/secrets")
"""Where container engines mount secrets, readable by all inside the container by their own design."""

_LIMIT = 65536


class SecretError(ValueError):
    """A secret that cannot be used. The message says why and the way out, never the secret."""


def read_secret(path: Path) -> str:
    """The one line in `path`, without surrounding white space. Raises `SecretError`."""
    text = read_secret_text(path)
    if len(text.splitlines()) > 1:
        raise SecretError(f"must hold one line with nothing but the secret ({path})")
    return text


def read_secret_text(path: Path) -> str:
    """All of a secret that takes more than one line, a key. Raises `SecretError`."""
    _refuse_open_file(path)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"cannot be read: {_reason(error)} ({path})") from None
    if not text:
        raise SecretError(f"is empty ({path})")
    if len(text) > _LIMIT:
        raise SecretError(f"must hold one line with nothing but the secret ({path})")
    return text


def _refuse_open_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SecretError(f"cannot be read: {_reason(error)} ({path})") from None
    if not stat.S_ISREG(mode):
        raise SecretError(f"is not a regular file ({path})")
    if mode & stat.S_IROTH and not path.resolve().is_relative_to(MOUNTED_SECRETS):
        raise SecretError(f"can be read by everybody on this machine: chmod 600 {path}")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
