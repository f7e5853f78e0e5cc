"""Checkpoints: lines outside the database that name size and head of every chain.

A line is canonical JSON and holds the hash of the line before it, so that a line can be neither
changed, taken out nor put in between. The sealer goes on only behind a last line of its own key and
only while the database holds what that line says: hence a good signature of the last line vouches
for all lines above it, back to the last one that an operator began with (`baseline`, `restored`).
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard

from connectors.sdk.model import Json
from worker.domain.strict_json import canonical
from worker.storage.signing import Keys, Signer, is_signed

FIRST = "0" * 64


class Kind(enum.StrEnum):
    CHECKPOINT = "checkpoint"  # the sealer's: the chains only grew
    BASELINE = "baseline"  # an operator's: the audit counts from here
    RESTORED = "restored"  # an operator's: the database was set back
    ARCHIVED = "archived"  # an operator's: the chains only grew, and an archive has what is below `floors`


class Seal(enum.Enum):
    """What a line's signature is worth to us."""

    GOOD = "is signed with a key of ours"
    MISSING = "is not signed"
    UNCHECKED = "is signed, and there is no public key to check it with"
    STRANGE = "is signed with a key that is none of ours"
    FORGED = "does not bear the signature of its key, or was changed"


class CheckpointError(ValueError):
    """A line that is no checkpoint, or not the one that must follow."""


class Head(NamedTuple):
    """A chain's number of records, and the hash of the last."""

    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`facts` is the whole line as JSON; `line` are its bytes without the line end."""

    number: int
    kind: Kind
    at: str
    previous: str
    streams: Mapping[str, Head]
    facts: Mapping[str, Json] = field(repr=False)
    line: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.line).hexdigest()

    @property
    def begins(self) -> bool:
        """Whether it goes on whatever the line before said."""
        return self.kind in (Kind.BASELINE, Kind.RESTORED)

    @property
    def floors(self) -> Mapping[str, Head]:
        """Below them an archive has the records. Told where floors have changed or lines begin anew."""
        told = self.facts.get("floors")
        if not isinstance(told, dict):
            return {}
        return {stream: Head(*head) for stream, head in told.items() if _is_head(head)}

    @property
    def is_signed(self) -> bool:
        return "signature" in self.facts


def _is_head(head: object) -> TypeGuard[tuple[int, str]]:
    return isinstance(head, list) and [type(part) for part in head] == [int, str]


def as_facts(heads: Mapping[str, Head]) -> dict[str, Json]:
    """As a line holds them."""
    return {stream: [head.size, head.hash] for stream, head in heads.items()}


def compose(
    last: Checkpoint | None, kind: Kind, at: str, streams: Mapping[str, Head], facts: Mapping[str, Json]
) -> dict[str, Json]:
    """The line that follows `last`, not yet signed."""
    return {
        **facts,
        "kind": kind.value,
        "number": last.number + 1 if last else 1,
        "previous": last.digest if last else FIRST,
        "at": at,
        "streams": as_facts(streams),
    }


def written(body: Mapping[str, Json], signer: Signer | None) -> bytes:
    """The line's bytes, signed where there is a key."""
    if signer is None:
        return canonical(dict(body)).encode()
    named = {**body, "key": signer.name}
    return canonical({**named, "signature": signer.sign(canonical(named).encode())}).encode()


def parsed(line: bytes) -> Checkpoint:
    """Raises CheckpointError."""
    try:
        body = json.loads(line)
        return Checkpoint(
            number=int(body["number"]),
            kind=Kind(body["kind"]),
            at=str(body["at"]),
            previous=str(body["previous"]),
            streams={str(name): Head(int(size), str(end)) for name, (size, end) in body["streams"].items()},
            facts=body,
            line=line,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CheckpointError("is no checkpoint") from None


def require_follows(found: Checkpoint, number: int, previous: str) -> None:
    """Raises CheckpointError where it is not the one with that number behind that line."""
    if found.number != number:
        raise CheckpointError(f"checkpoint {number} is missing, {found.number} stands in its place")
    if found.previous != previous:
        raise CheckpointError("does not follow from the line before")


def seal_of(found: Checkpoint, keys: Keys) -> Seal:
    """Also a line whose bytes are not the canonical ones counts as forged: nobody of ours wrote it."""
    if not found.is_signed:
        return Seal.MISSING
    if not keys.trusted:
        return Seal.UNCHECKED
    key = keys.trusted.get(str(found.facts.get("key")))
    if key is None:
        return Seal.STRANGE
    body = {name: value for name, value in found.facts.items() if name != "signature"}
    try:
        same = canonical(dict(found.facts)).encode() == found.line
        good = same and is_signed(key, str(found.facts["signature"]), canonical(body).encode())
    except ValueError:  # holds what canonical JSON cannot
        return Seal.FORGED
    return Seal.GOOD if good else Seal.FORGED
