"""JSON that can be stored, hashed and compared without loss, or a pointer to what cannot.

Python's parser accepts NaN, duplicate keys and lone surrogates and keeps integers of any size.
Canonical JSON (RFC 8785) holds none of those, so they are refused here, each with the JSON pointer
(RFC 6901) of its place.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import rfc8785

from connectors.sdk.model import Json

MAX_SAFE_INTEGER = 2**53 - 1
_MANY_DIGITS = 32  # Python refuses to read thousands of them, and without a place


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes for a whole event; levels, keys in one object, characters in one string."""

    max_bytes: int = 262_144
    max_depth: int = 16
    max_keys: int = 256
    max_string: int = 65_536


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was refused, and the JSON pointer of the place ("" is the whole document)."""

    pointer: str
    reason: str

    def __str__(self) -> str:
        return f"{self.pointer or '(whole event)'}: {self.reason}"


class RefusedError(ValueError):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class _Object(dict[str, Any]):
    """A parsed object that remembers a key it was given twice."""

    duplicate: str | None = None


class _NotANumber:
    pass


class _Huge:
    """An integer with more digits than any that can be kept."""


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    result = _Object(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        result.duplicate = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return result


def _constant(_: str) -> _NotANumber:
    return _NotANumber()


def _integer(text: str) -> int | _Huge:
    return int(text) if len(text) < _MANY_DIGITS else _Huge()


def parse(raw: bytes, limits: Limits) -> Json:
    """Return the document, or raise RefusedError with the first place that cannot be kept."""
    if len(raw) > limits.max_bytes:
        raise RefusedError(_too_long(len(raw), limits.max_bytes))
    document = _load(raw)
    for refusal in check(document, limits):
        raise RefusedError(refusal)
    return document


def parse_list(raw: bytes, limits: Limits, most: int) -> list[tuple[Json, Refusal | None]]:
    """The members of an array of at most `most` bytes, each under the limits on its own.

    A member that cannot be kept comes with its refusal, whose pointer is within it. Raises RefusedError where
    the whole is no array.
    """
    if len(raw) > most:
        raise RefusedError(_too_long(len(raw), most))
    document = _load(raw)
    if not isinstance(document, list):
        raise RefusedError(Refusal("", "must be a JSON array of events"))
    return [(member, _member_problem(member, limits)) for member in document]


def _member_problem(member: Json, limits: Limits) -> Refusal | None:
    for refusal in check(member, limits):
        return refusal
    size = len(json.dumps(member, ensure_ascii=False, separators=(",", ":")).encode())
    return _too_long(size, limits.max_bytes) if size > limits.max_bytes else None


def _too_long(size: int, most: int) -> Refusal:
    return Refusal("", f"is {size} bytes, the limit is {most}")


def _load(raw: bytes) -> Json:
    try:
        text = raw.decode("utf-8")
        value: Json = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer
        )
    except UnicodeDecodeError as error:
        raise RefusedError(Refusal("", f"is not UTF-8 at byte {error.start}")) from None
    except RecursionError:
        raise RefusedError(Refusal("", "is nested too deeply to read")) from None
    except ValueError as error:
        raise RefusedError(Refusal("", f"is not JSON: {error}")) from None
    return value


def escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def check(value: Any, limits: Limits, pointer: str = "", depth: int = 0) -> Iterator[Refusal]:  # noqa: ANN401 - it may hold the parser's own markers
    """Yield what canonical JSON cannot hold, depth first."""
    if isinstance(value, dict | list):
        yield from _check_container(value, limits, pointer, depth + 1)
    elif reason := _scalar_problem(value, limits):
        yield Refusal(pointer, reason)


def _check_container(value: Any, limits: Limits, pointer: str, depth: int) -> Iterator[Refusal]:  # noqa: ANN401 - as in check
    if depth > limits.max_depth:
        yield Refusal(pointer, f"is nested deeper than {limits.max_depth} levels")
        return
    if len(value) > limits.max_keys:
        yield Refusal(pointer, f"has {len(value)} members, the limit is {limits.max_keys}")
        return
    for reason in _key_problems(value, limits):
        yield Refusal(pointer, f"has a key that {reason}")
        return  # such a key has no place in a pointer either
    duplicate = getattr(value, "duplicate", None)
    if duplicate is not None:
        yield Refusal(f"{pointer}/{escape(duplicate)}", "stands twice in one object")
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from check(item, limits, f"{pointer}/{escape(str(key))}", depth)


def _key_problems(value: dict[str, Any] | list[Any], limits: Limits) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        if reason := _text_problem(key, limits):
            yield reason


def _scalar_problem(value: object, limits: Limits) -> str | None:
    if isinstance(value, _NotANumber):
        return "is NaN or infinite, which JSON does not have"
    if isinstance(value, float) and not math.isfinite(value):
        return "is a number too large to keep"
    if isinstance(value, _Huge) or (isinstance(value, int | float) and abs(value) > MAX_SAFE_INTEGER):
        # 1e20 too: its canonical text is an integer that could not be read back
        return "is a number beyond 2^53, send it as a string"
    return _text_problem(value, limits) if isinstance(value, str) else None


def _text_problem(value: str, limits: Limits) -> str | None:
    if len(value) > limits.max_string:
        return f"has {len(value)} characters, the limit is {limits.max_string}"
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        return "holds a lone surrogate, which is not text"
    return "holds a NUL character" if "\x00" in value else None


def canonical(value: Json) -> str:
    """RFC 8785 text: the same value always gives the same bytes."""
    return rfc8785.dumps(value).decode()


def digest(value: Json) -> str:
    """SHA-256 of the canonical text, hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()
