"""A write as a form with files (multipart/form-data, RFC 7578). Pure.

A form holds texts only: booleans are `true` and `false`, a list is its key repeated. It has no words for
null, for an object and for an empty list; whoever has one of these to say sends JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from connectors.sdk.model import Json, Record


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that goes along. `name` is what the target is told, never a path of ours."""

    name: str
    media_type: str
    content: bytes

    def __repr__(self) -> str:
        return f"FilePart({self.name!r}, {len(self.content)} bytes)"


def fits_form(values: Record) -> bool:
    """Whether a form can say every one of these values."""
    return all(_fits(value) for value in values.values())


def form_of(values: Record, files: Mapping[str, FilePart]) -> tuple[bytes, str]:
    """The body and its content type. Raises `ValueError` for a value that no form can say."""
    parts = [
        RequestField.from_tuples(name, text) for name, value in values.items() for text in _texts(name, value)
    ]
    parts += [
        RequestField.from_tuples(name, (file.name, file.content, file.media_type))
        for name, file in files.items()
    ]
    return encode_multipart_formdata(parts)


def _fits(value: Json) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_scalar(item) for item in value)
    return _is_scalar(value)


def _is_scalar(value: Json) -> bool:
    return isinstance(value, bool | int | float | str)


def _texts(name: str, value: Json) -> list[str]:
    if not _fits(value):
        raise ValueError(f"{name}: a form cannot say this value")
    return [_text(item) for item in (value if isinstance(value, list) else [value])]


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
