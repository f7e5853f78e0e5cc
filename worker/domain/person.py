"""From an identity to the person as one target should show it: scope, mapping, encoded values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connectors.sdk.fields import FieldError
from connectors.sdk.model import Json
from worker.domain.account import Hold, Person, Reason
from worker.domain.dates import Dates
from worker.domain.identity import Identity
from worker.domain.mapping import ABSENT, Expression, Failure, newest
from worker.domain.strict_json import digest


class Encode(Protocol):
    """The connector's `encode`: the value as it is sent, or FieldError."""

    def __call__(self, name: str, value: Json, /) -> Json: ...


@dataclass(frozen=True, slots=True)
class View:
    """How one target reads a person: compiled once for each target."""

    mapping: Mapping[str, Expression]
    scope: Expression | None
    correlation: str
    encode: Encode
    dates: Dates = field(default_factory=Dates)

    def of(self, identity: Identity, now: float) -> Person:
        """The person; bad values and failing expressions become `problems`, never exceptions."""
        values = self.dates.values(identity, now)
        wanted: dict[str, Json] = {}
        problems: dict[str, Hold] = {}
        for name, expression in self.mapping.items():
            result = expression.evaluate(values)
            if result is not ABSENT:
                self._take(name, result, wanted, problems, now)
        in_scope, known = self._in_scope(values)
        return Person(
            revision=identity.revision,
            in_scope=in_scope,
            leaver=self.dates.gone(identity, now),
            wanted=wanted,
            problems=problems,
            correlation=self._correlation(identity, values),
            origin=self._origin(identity, now),
            scope_known=known,
            waits=self.dates.waits(identity, now),
        )

    def _take(
        self,
        name: str,
        result: Json | Failure,
        wanted: dict[str, Json],
        problems: dict[str, Hold],
        now: float,
    ) -> None:
        if isinstance(result, Failure):
            problems[name] = Hold(Reason.MAPPING, result.message, digest(result.message), now)
            return
        try:
            wanted[name] = self.encode(name, result)
        except FieldError as error:
            problems[name] = Hold(Reason.VALUE, str(error), digest(result), now)

    def _in_scope(self, values: Mapping[str, Json]) -> tuple[bool, bool]:
        if self.scope is None:
            return True, True
        result = self.scope.evaluate(values)
        return (result, True) if isinstance(result, bool) else (False, False)

    def _correlation(self, identity: Identity, values: Mapping[str, Json]) -> tuple[str, ...]:
        """The correlation field for the current attributes first, then for former ones."""
        expression = self.mapping.get(self.correlation)
        if expression is None:
            return ()
        variants = [dict(values)]
        for name in expression.reads:
            held = identity.attributes.get(name)
            variants += [{**values, name: old} for old in (held.former if held is not None else ())]
        found = (self._encoded(expression.evaluate(variant)) for variant in variants)
        return tuple(dict.fromkeys(text for text in found if text))

    def _encoded(self, value: object) -> str | None:
        if not isinstance(value, str):
            return None
        try:
            encoded = self.encode(self.correlation, value)
        except FieldError:
            return None
        return encoded if isinstance(encoded, str) else None

    def _origin(self, identity: Identity, now: float) -> dict[str, int]:
        events = self.dates.asserted_by(identity, now)
        rows = {name: newest(expression.reads, events) for name, expression in self.mapping.items()}
        return {name: row for name, row in rows.items() if row is not None}
