"""Request bodies: JSON of a strict parser, and a crash on bytes that are not text."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

SURROGATE = re.compile("[\ud800-\udfff]")


class StrictParser(BaseParser):
    """Duplicate keys: the last wins. A charset parameter is honoured."""

    media_type = "application/json"

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        del parser_context
        text = stream.read().decode(_charset(media_type or ""))  # nobody catches what this raises: 500
        try:
            value = json.loads(text, parse_constant=_no_number)
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        if SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise ParseError("JSON parse error - no low surrogate in string")
        return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"unexpected character: {name}")


def _charset(media_type: str) -> str:
    name = media_type.lower().partition("charset=")[2].split(";")[0].strip(' "') or "utf-8"
    return codecs.lookup(name).name
