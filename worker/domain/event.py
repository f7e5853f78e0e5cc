"""Events: CloudEvents 1.0 from a configured source, checked and turned into assertions.

Pure. `read_event` either returns an Event that can be stored and folded, or raises RefusedError
with a JSON pointer; it never repairs. An assertion of null clears an attribute; an attribute that
an event does not name is left alone (delta) or cleared if it was asserted before (snapshot).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain import attributes
from worker.domain.calendar_text import CLOCK_PATTERN, DATE_PATTERN
from worker.domain.strict_json import Refusal, RefusedError, digest, escape

JOINED = "hirewire.person.joined"
CHANGED = "hirewire.person.changed"
LEFT = "hirewire.person.left"
RETURNED = "hirewire.person.returned"
TYPES = (JOINED, CHANGED, LEFT, RETURNED)
IMPLIED_ACTIVE: Mapping[str, bool] = {JOINED: True, LEFT: False, RETURNED: True}

TIME = re.compile(
    rf"({DATE_PATTERN})[Tt]({CLOCK_PATTERN})(?:\.([0-9]{{1,9}}))?([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
INTEGER = re.compile(r"[0-9]{1,38}")
MAX_NAME = 255
MEDIA_TYPE = "application/json"


class SourceRules(Protocol):
    """What an event's reading depends on; `config.settings.Source` is one."""

    @property
    def order(self) -> str: ...
    @property
    def payload(self) -> str: ...
    @property
    def attributes(self) -> Sequence[str]: ...
    @property
    def types(self) -> Mapping[str, str]: ...
    @property
    def subjects(self) -> str | None: ...
    @property
    def only_types(self) -> Sequence[str]: ...


class Extract(Protocol):
    """Payload to assertions, for a source that maps vendor data; raises RefusedError."""

    def __call__(self, data: Mapping[str, Json]) -> dict[str, Json]: ...


@dataclass(frozen=True, slots=True)
class Event:
    """What a source said about one person. `order` sorts as text by the source's own order."""

    source: str  # the configured name, not the URI
    id: str
    type: str  # native
    subject: str
    time: float  # seconds since the epoch; when it happened, by the source's clock
    order: str
    snapshot: bool
    assertions: Mapping[str, Json]
    body_hash: str


def as_object(document: Json) -> dict[str, Json]:
    """The event as an object; anything else is refused."""
    if not isinstance(document, dict):
        raise RefusedError(Refusal("", "must be a JSON object in the CloudEvents format"))
    return document


def source_uri(body: Mapping[str, Json]) -> str:
    return _text(body, "source")


def read_event(body: Mapping[str, Json], source: str, rules: SourceRules, extract: Extract) -> Event:
    """Check one CloudEvent of this source; see the module for what is promised."""
    if body.get("specversion") != "1.0":
        raise RefusedError(Refusal("/specversion", 'must be "1.0"'))
    _check_content(body)
    native = _native_type(_text(body, "type"), rules)
    stamp = _text(body, "time")
    data = body.get("data")
    if not isinstance(data, dict):
        raise RefusedError(Refusal("/data", "must be an object"))
    return Event(
        source=source,
        id=_text(body, "id"),
        type=native,
        subject=_subject(body, rules),
        time=parse_time(stamp),
        order=_order(body, stamp, rules.order),
        snapshot=rules.payload == "snapshot",
        assertions=_assertions(native, extract(data), rules),
        body_hash=digest(dict(body)),
    )


def _check_content(body: Mapping[str, Json]) -> None:
    if not _is_json(body.get("datacontenttype", MEDIA_TYPE)):
        raise RefusedError(Refusal("/datacontenttype", "must be application/json"))
    if "data_base64" in body:
        raise RefusedError(Refusal("/data_base64", "is not taken, send the object as data"))


def _is_json(media_type: Json) -> bool:
    """Whether a media type is application/json, with or without parameters (RFC 9110 section 8.3.1)."""
    return isinstance(media_type, str) and media_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def _text(body: Mapping[str, Json], key: str) -> str:
    value = body.get(key)
    if key not in body:
        raise RefusedError(Refusal(f"/{key}", "is missing"))
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME:
        raise RefusedError(Refusal(f"/{key}", f"must be a non-empty string of at most {MAX_NAME} characters"))
    return value


def _subject(body: Mapping[str, Json], rules: SourceRules) -> str:
    subject = _text(body, "subject")
    if rules.subjects is not None and not re.fullmatch(rules.subjects, subject):
        raise RefusedError(Refusal("/subject", "is nobody that this source may speak about"))
    return subject


def _native_type(name: str, rules: SourceRules) -> str:
    native = rules.types.get(name, name)
    if native in TYPES:
        if rules.only_types and native not in rules.only_types:
            raise RefusedError(Refusal("/type", "is a type that this source may not send"))
        return native
    allowed = [*rules.types, *TYPES]
    close = get_close_matches(name, allowed, n=1)
    hint = f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(allowed)}"
    raise RefusedError(Refusal("/type", "is not a known event type" + hint))


def parse_time(text: str) -> float:
    """RFC 3339 to seconds since the epoch; refused with the pointer /time when it is not one."""
    moment, fraction = _instant(text)
    return moment.timestamp() + float(f"0.{fraction}")


def _instant(text: str) -> tuple[dt.datetime, str]:
    """The whole second in UTC and the fraction's nine digits."""
    match = TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - one refusal for each way to be wrong
        date, clock, fraction, zone = match.groups()
        moment = dt.datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        return moment.astimezone(dt.UTC), (fraction or "").ljust(9, "0")
    except (ValueError, OverflowError):  # the zone may lead out of the calendar
        raise RefusedError(Refusal("/time", "must be an RFC 3339 time like 2026-01-31T09:30:00Z")) from None


def _order(body: Mapping[str, Json], stamp: str, order: str) -> str:
    if order == "time":
        return _time_order(stamp)
    sequence = _text(body, "sequence")
    if order == "lexical":
        return sequence
    if not INTEGER.fullmatch(sequence):
        raise RefusedError(Refusal("/sequence", "must be decimal digits for a source with order = integer"))
    digits = sequence.lstrip("0")
    return f"{len(digits):02d}{digits}"


def _time_order(stamp: str) -> str:
    """UTC with nine digits: text order is time order, to the nanosecond that a source may send."""
    moment, fraction = _instant(stamp)
    return f"{moment.replace(tzinfo=None).isoformat()}.{fraction}"


def _assertions(native: str, said: Mapping[str, Json], rules: SourceRules) -> dict[str, Json]:
    for name, value in said.items():
        place = f"/data/{escape(name)}"
        if reason := attributes.problem(name, value):
            raise RefusedError(Refusal(place, reason))
        if not attributes.covers(rules.attributes, name):
            raise RefusedError(Refusal(place, "is an attribute that this source has no authority over"))
    if native not in IMPLIED_ACTIVE or "active" in said:
        return dict(said)
    if not attributes.covers(rules.attributes, "active"):
        raise RefusedError(Refusal("/type", "implies active, which this source has no authority over"))
    return {**said, "active": IMPLIED_ACTIVE[native]}
