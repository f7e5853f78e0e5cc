"""How a request holds its events: the content modes of CloudEvents over HTTP, and a vendor's own JSON.

`mode_of` goes by the exact content type, before a byte of the body is read. `parcels` then takes the body
apart: what is wrong with one event is refused for that event; what is wrong with the whole, as one parcel.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import unquote

from starlette.datastructures import Headers

from connectors.sdk.model import Json
from worker.api.problems import ProblemError
from worker.domain.delivery import Unwrap
from worker.domain.strict_json import Limits, Refusal, RefusedError, check, parse, parse_list
from worker.engine.accept import Parcel

_CE = "ce-"
_DELIVERY = "webhook-id"
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,64}")
_CHARSET = re.compile(r'charset="?utf-8"?', re.IGNORECASE)


class Mode(enum.Enum):
    """By media type; the last two share theirs."""

    STRUCTURED = "application/cloudevents+json"
    BATCHED = "application/cloudevents-batch+json"
    STREAM = "application/x-ndjson"
    BINARY = "binary"
    VENDOR = "application/json"


def mode_of(headers: Headers) -> Mode:
    """Raises ProblemError 415 for every other content type, charset or encoding."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _unsupported("send the body without a content encoding")
    kind, _, parameters = headers.get("content-type", "").partition(";")
    if parameters.strip() and not _CHARSET.fullmatch(parameters.strip()):
        raise _unsupported("the only parameter of a content type is charset=utf-8")
    media_type = kind.strip().lower()
    if media_type == Mode.VENDOR.value:
        return Mode.BINARY if f"{_CE}specversion" in headers else Mode.VENDOR
    for mode in (Mode.STRUCTURED, Mode.BATCHED, Mode.STREAM):
        if media_type == mode.value:
            return mode
    raise _unsupported(f"send {', '.join(mode.value for mode in Mode if mode is not Mode.BINARY)}")


def _unsupported(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


@dataclass(frozen=True, slots=True)
class Opener:
    """Takes requests apart under the intake's limits. `most`: the bytes of a body with several events.

    `unwraps` has those sources that send a payload of their own.
    """

    limits: Limits
    most: int
    unwraps: Mapping[str, Unwrap]

    def most_bytes(self, mode: Mode) -> int:
        """Of a whole body; a stream has no such end."""
        return self.limits.max_bytes if mode in (Mode.STRUCTURED, Mode.BINARY) else self.most

    def parcels(self, mode: Mode, raw: bytes, headers: Headers, source: str) -> list[Parcel]:
        try:
            match mode:
                case Mode.STRUCTURED | Mode.STREAM:
                    return [self.line(raw)]
                case Mode.BATCHED:
                    found = parse_list(raw, self.limits, self.most)
                    return [Parcel(_shown(event), event, refusal) for event, refusal in found]
                case Mode.BINARY:
                    return [self._binary(raw, headers)]
                case Mode.VENDOR:
                    return self._vendor(raw, headers, source)
        except RefusedError as error:
            return [Parcel(raw, refusal=error.refusal)]

    def line(self, raw: bytes) -> Parcel:
        """One event in JSON."""
        try:
            return Parcel(raw, parse(raw, self.limits))
        except RefusedError as error:
            return Parcel(raw, refusal=error.refusal)

    def _binary(self, raw: bytes, headers: Headers) -> Parcel:
        """Attributes in headers, data in the body: the same event as if it had been structured."""
        attributes = _attributes(headers)
        for refusal in check(attributes, self.limits):
            raise RefusedError(refusal)
        said = {"datacontenttype": headers["content-type"], "data": parse(raw, self.limits)}
        return Parcel(raw, {**attributes, **said})

    def _vendor(self, raw: bytes, headers: Headers, source: str) -> list[Parcel]:
        payload = parse(raw, replace(self.limits, max_bytes=self.most))
        found = self.unwraps[source](payload, headers.get(_DELIVERY))
        return [
            Parcel(_shown(one.item), None if one.event is None else dict(one.event), one.refusal)
            for one in found
        ]


def _attributes(headers: Headers) -> dict[str, Json]:
    """Percent-decoded, as the HTTP binding of CloudEvents encodes them."""
    found: dict[str, Json] = {}
    for header, value in headers.items():
        name = header.removeprefix(_CE)
        if name == header:
            continue
        if name in found or not _ATTRIBUTE.fullmatch(name) or name in ("data", "datacontenttype"):
            raise RefusedError(Refusal(f"/{name}", "is a header given twice, or no attribute's"))
        try:
            found[name] = unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise RefusedError(Refusal(f"/{name}", "is not UTF-8 in percent-encoding")) from None
    return found


def _shown(value: Json) -> bytes:
    """What was sent of one event among others; what JSON does not have becomes null."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_nothing)
    except RecursionError:
        return b""
    return text.encode("utf-8", "backslashreplace")


def _nothing(_: object) -> None:
    return None
