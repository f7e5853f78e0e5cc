"""Who sits at the terminal, for the audit: the operating system's word, not a variable's."""

from __future__ import annotations

import os
import pwd


def operator() -> str:
    """`cli:NAME`; the number of a user that has no name."""
    uid = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"cli:{uid}"
