"""A password that nobody knows: for accounts that must exist without one. Kept and shown nowhere."""

from __future__ import annotations

import secrets
from typing import Final

OF_EACH_KIND: Final = "Aa1!"  # whatever a policy counts is there
RANDOM_BYTES: Final = 45


def unknown_password() -> str:
    """64 characters, 360 bits of them random."""
    return OF_EACH_KIND + secrets.token_urlsafe(RANDOM_BYTES)
