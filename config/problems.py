"""Words for what is wrong with a configuration: one line a problem, with its path, never with a value."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue
from pydantic_core import ErrorDetails

from config.names import NAME_PATTERN, did_you_mean

Path = tuple[int | str, ...]


class ConfigurationError(Exception):
    """The configuration cannot be used. `problems` has every reason; `str` shows one on each line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))


class UnknownKeyError(LookupError):
    """A key that the tree does not have; `known` are the keys at its place."""

    def __init__(self, key: str, known: tuple[str, ...]) -> None:
        self.key = key
        self.known = known
        super().__init__(key)


def dotted(path: Sequence[int | str]) -> str:
    """`("targets", "awx", "always_send", 0)` as `targets.awx.always_send[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def worded(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One problem of a ValidationError. Uses only its place, kind and message, never its input."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        return f"{dotted(path)}: unknown key{_suggestion(model, path)}"
    if error["type"] == "missing":
        return f"{dotted(path)}: is missing"
    if error["type"] == "string_pattern_mismatch" and error["loc"][-1] == "[key]":
        return f"{dotted(path)}: a name must match {NAME_PATTERN}"
    return f"{dotted(path) or 'configuration'}: {error['msg'].removeprefix('Value error, ')}"


def _suggestion(model: type[BaseModel], path: Path) -> str:
    try:
        walk(model, path)
    except UnknownKeyError as error:
        return did_you_mean(error.key, error.known)
    return ""


def walk(annotation: object, path: Sequence[int | str]) -> object:
    """The annotation at `path`. Raises `UnknownKeyError` at the first key that does not exist."""
    for part in path:
        annotation = _step(_bare(annotation), part)
    return _bare(annotation)


def _bare(annotation: object) -> object:
    """Without Annotated and None: what a path goes on through."""
    if annotation is JsonValue:
        return annotation
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [choice for choice in get_args(annotation) if choice is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _step(annotation: object, part: int | str) -> object:
    if annotation is JsonValue:
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        if part not in fields:
            raise UnknownKeyError(str(part), tuple(fields))
        return fields[str(part)].rebuild_annotation()
    if get_origin(annotation) in (dict, Mapping):
        return get_args(annotation)[1]
    if get_origin(annotation) is tuple and isinstance(part, int):
        return get_args(annotation)[0]
    raise UnknownKeyError(str(part), ())
