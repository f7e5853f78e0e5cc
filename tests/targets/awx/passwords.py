"""The local password policy: off by default, switched on by AWX's `LOCAL_PASSWORD_*` settings."""

from __future__ import annotations

from tests.targets import options

MAX_LENGTH = 128
PLACEHOLDER = "$encrypted$"  # what a password is shown as; written back it changes nothing


def problem(password: str) -> str | None:
    """Why a password is refused, None where it is not. The placeholder gets no exemption."""
    if len(password) > MAX_LENGTH:
        return f"At most {MAX_LENGTH} characters."
    shortest = int(options.get("LOCAL_PASSWORD_MIN_LENGTH", 0))
    if len(password) < shortest:
        return f"At least {shortest} characters are needed."
    for setting, word, counts in (
        ("DIGITS", "digits", str.isdigit),
        ("UPPER", "uppercase characters", str.isupper),
        ("SPECIAL", "special characters", _is_special),
    ):
        least = int(options.get(f"LOCAL_PASSWORD_MIN_{setting}", 0))
        if sum(1 for character in password if counts(character)) < least:
            return f"At least {least} {word} are needed."
    return None


def _is_special(character: str) -> bool:
    return not character.isalnum()
