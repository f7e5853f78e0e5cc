"""From a vendor's own payload to CloudEvents, by the expressions of a source's configuration. Pure.

Each expression sees `{payload, item, delivery}`. An id that no expression gives comes from the delivery's id
and the item's number in it; without a delivery id from subject, change time and content together, never from
the content alone: the same values said again later are another event. What an expression cannot give is
refused for that item, and the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.mapping import Expression, Failure, compile_expression, search
from worker.domain.strict_json import Refusal, RefusedError, digest

_DIGITS = 16  # of the content's digest: beside subject and time


class Rules(Protocol):
    """The expressions; `config.settings.Delivery` is one."""

    @property
    def each(self) -> str | None: ...
    @property
    def id(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def time(self) -> str: ...
    @property
    def sequence(self) -> str | None: ...
    @property
    def data(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """One event of a delivery, or why there is none; `item` is what it was made of."""

    item: Json
    event: Mapping[str, Json] | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Unwrap:
    """`uri` is the CloudEvents `source` of what it makes."""

    uri: str
    each: Expression | None
    fields: Mapping[str, Expression]

    @classmethod
    def compile(cls, uri: str, rules: Rules) -> Unwrap:
        texts = {
            "type": rules.type,
            "subject": rules.subject,
            "time": rules.time,
            "sequence": rules.sequence,
            "data": rules.data,
            "id": rules.id,
        }
        compiled = {name: compile_expression(text) for name, text in texts.items() if text is not None}
        return cls(uri, compile_expression(rules.each) if rules.each is not None else None, compiled)

    def __call__(self, payload: Json, delivery_id: str | None) -> list[Unwrapped]:
        """In the order of the payload. Raises RefusedError where the list is not where it should be."""
        return [
            self._event({"payload": payload, "item": item, "delivery": {"id": delivery_id, "number": number}})
            for number, item in enumerate(self._items(payload))
        ]

    def _items(self, payload: Json) -> list[Json]:
        if self.each is None:
            return [payload]
        found = search(self.each, {"payload": payload})
        if isinstance(found, Failure):
            raise RefusedError(Refusal("", found.message))
        if not isinstance(found, list):
            raise RefusedError(Refusal("", "has no list of events where the source's configuration says"))
        return found

    def _event(self, scope: Mapping[str, Json]) -> Unwrapped:
        event: dict[str, Json] = {"specversion": "1.0", "source": self.uri}
        try:
            for name, expression in self.fields.items():
                event[name] = _found(name, expression, scope)
            if "id" not in event:
                event["id"] = _derived(event, scope["delivery"])
        except RefusedError as error:
            return Unwrapped(scope["item"], refusal=error.refusal)
        return Unwrapped(scope["item"], event)


def _found(name: str, expression: Expression, scope: Mapping[str, Json]) -> Json:
    """What the expression finds; numbers of the envelope become text, as CloudEvents has them."""
    value = search(expression, scope)
    if isinstance(value, Failure):
        raise RefusedError(Refusal(f"/{name}", value.message))
    if name == "data":
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise RefusedError(Refusal(f"/{name}", "was not found where the source's configuration says"))
    return value


def _derived(event: Mapping[str, Json], delivery: Json) -> str:
    """The same delivery sent again gives the same id."""
    known = delivery if isinstance(delivery, dict) else {}
    if known.get("id"):
        return f"{known['id']}/{known['number']}"
    said = {name: value for name, value in event.items() if name != "source"}
    return f"{event['subject']}@{event['time']}#{digest(said)[:_DIGITS]}"
