"""How a name or a right may be dressed up so that a guard might not know it. Deterministic by seed."""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Callable

from connectors.sdk.model import Json

_WIDE = {ord(char): chr(ord(char) + 0xFEE0) for char in string.ascii_letters + string.digits}
_LOOK_ALIKE = str.maketrans("aeiopcxy", "аеіорсху")  # noqa: RUF001 - Cyrillic letters
_SPACES = (" ", "\t", "\u00a0", "\u2003", "\u3000", "\n")

SAME: tuple[Callable[[random.Random, str], str], ...] = (
    lambda _, name: name,
    lambda _, name: name.upper(),
    lambda _, name: name.title(),
    lambda chance, name: "".join(chance.choice((c.lower(), c.upper())) for c in name),
    lambda _, name: name.translate(_WIDE),
    lambda chance, name: chance.choice(_SPACES) + name,
    lambda chance, name: name + chance.choice(_SPACES),
    lambda _, name: unicodedata.normalize("NFD", name),
    lambda _, name: name.replace("s", "\u017f"),  # the long s
    lambda _, name: name.replace("k", "\u212a"),  # the sign of the kelvin
    lambda _, name: name + "\u200b",  # no width
    lambda _, name: name[:1] + "\u200d" + name[1:],
)
"""What some server might take for the name itself."""

OTHER: tuple[Callable[[random.Random, str], str], ...] = (
    lambda _, name: name.translate(_LOOK_ALIKE),
    lambda chance, name: name + str(chance.randint(0, 9)),
    lambda _, name: f"{name}@example.com",
    lambda _, name: f"../{name}",
)
"""What is somebody else, however it looks."""


def disguised(chance: random.Random, name: str) -> str:
    """What might be the name: one or two of the first kind."""
    return chance.choice(SAME)(chance, chance.choice(SAME)(chance, name))


def any_form(chance: random.Random, name: str) -> str:
    return chance.choice((*SAME, *OTHER))(chance, name)


def grants(chance: random.Random) -> Json:
    """A value that somebody hopes to pass as a right."""
    texts = ("true", "True", "TRUE", " true ", "1", "yes", "on", "admin", "", "\uff54rue")
    plain: list[Json] = [True, 1, 1.0, 2, -1, *texts, [], [True], {"value": True}, [1, 2], ["admins"], None]
    value = chance.choice(plain)
    return [value] if chance.random() < 0.1 else value
