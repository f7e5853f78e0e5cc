"""What a program wrote to a terminal, read from the other side of it."""

from __future__ import annotations

import os


def all_of(main: int) -> bytes:
    """Everything until the program's side is closed; then this side is closed, too."""
    said = b""
    while chunk := _read(main):
        said += chunk
    os.close(main)
    return said


def _read(main: int) -> bytes:
    try:
        return os.read(main, 65_536)
    except OSError:  # the other side is closed
        return b""
