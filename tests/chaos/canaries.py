"""Twenty secrets of a run, where each is put, and the search for them afterwards.

`credentials` must appear nowhere that Hirewire writes. `personal` values are HR's own data: they belong into
the database, and must not be in logs, in the broker or in tracebacks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_REFUSED, _PERSONAL = 6, 8
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Canaries:
    tokens: Mapping[str, str]  # target -> our token there; a fault of 500 quotes it back at us
    database: str  # password in database.url
    foreign: str  # in a field of the targets that nobody maps
    environment: str  # in a variable of every program that is no option
    refused: tuple[str, ...]  # in events that are refused
    personal: tuple[str, ...]  # values that HR says

    @classmethod
    def of(cls, seed: int) -> Canaries:
        def word(place: str) -> str:
            return f"canary-{hashlib.sha256(f'{seed} {place}'.encode()).hexdigest()[:16]}"

        return cls(
            {target: word(f"token {target}") for target in ("awx", "authentik", "staff_users")},
            word("database"),
            word("foreign"),
            word("environment"),
            tuple(word(f"refused {place}") for place in range(_REFUSED)),
            tuple(word(f"personal {place}") for place in range(_PERSONAL)),
        )

    @property
    def credentials(self) -> tuple[str, ...]:
        return (*self.tokens.values(), self.database, self.foreign, self.environment, *self.refused)

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.credentials, *self.personal)


def found_in(files: Iterable[Path], canaries: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Each canary with each file that holds it, as bytes."""
    needles = [canary.encode() for canary in canaries]
    longest = max(map(len, needles))
    for file in files:
        for needle in _needles_in(file, needles, longest):
            yield needle.decode(), file


def _needles_in(file: Path, needles: list[bytes], longest: int) -> set[bytes]:
    seen: set[bytes] = set()
    rest = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            seen |= {needle for needle in needles if needle in text}
            rest = text[-longest:]
    return seen
