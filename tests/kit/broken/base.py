"""How a connector is broken: the sound example, with places to tamper with it, and a list of the faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from acme_document import DOCUMENT
from acme_server import AcmeServer
from hirewire_acme import AcmeConnector

from connectors.sdk.answers import Answer, is_html
from connectors.sdk.contract import ConnectorConfig
from connectors.sdk.model import CheckReport, Found, Outcome, OutcomeKind, Record
from connectors.sdk.testing import ReferenceServer
from connectors.sdk.testing.samples import Document

When = Callable[[Outcome, Answer], bool]
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Sample:
    """A sound connector and its reference server."""

    style: Any
    server: type[ReferenceServer]
    document: Document | None = None


@dataclass(frozen=True)
class Fault:
    """A connector with one fault, and the check that must catch it."""

    check: str
    name: str
    what: str
    style: Any
    sample: Sample
    raises: bool = False  # the fault is an exception, which is all that the author sees


ACME = Sample(AcmeConnector, AcmeServer, DOCUMENT)
FAULTS: list[Fault] = []


class Tampered(AcmeConnector):
    """The sound example; each method below is a place to break it at."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self.config = config
        self.last = Answer(self._client.unsent("GET", ""))
        sound = self.exchange = self._client._exchange

        def exchange(method: str, target: str, body: bytes | None, *rest: Any) -> Answer:
            self.last = sound(*self.sending(method, target, body), *rest)
            return self.answered(self.last)

        self._client._exchange = exchange  # type: ignore[method-assign]

    def sending(self, method: str, target: str, body: bytes | None) -> tuple[str, str, bytes | None]:
        """What leaves instead."""
        return method, target, body

    def answered(self, answer: Answer) -> Answer:
        """What is read instead of what came."""
        return answer

    def judged(self, outcome: Outcome) -> Outcome:
        """What is handed on instead."""
        return outcome

    def found(self, found: Found) -> Found:
        """What a search finds instead."""
        return found

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        return self.found(super().find(wanted))

    def fetch(self, remote_id: str) -> Outcome:
        return self.judged(super().fetch(remote_id))

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        return self.judged(super().patch(remote_id, changes, digests))

    def create(self, values: Record) -> Outcome:
        return self.judged(super().create(values))

    def demote(self, remote_id: str) -> Outcome:
        return self.judged(super().demote(remote_id))

    def delete(self, remote_id: str) -> Outcome:
        return self.judged(super().delete(remote_id))


class Leaving(Tampered):
    """What leaves in a body is something else."""

    method = "PATCH"

    def sending(self, method: str, target: str, body: bytes | None) -> tuple[str, str, bytes | None]:
        if method != self.method or body is None:
            return method, target, body
        return method, target, json.dumps(self.leaving(json.loads(body))).encode()

    def leaving(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


class Again(Tampered):
    """Changes and reads once more, when the outcome is so."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        return super().patch(remote_id, changes, digests) if self.again(outcome) else outcome

    def fetch(self, remote_id: str) -> Outcome:
        outcome = super().fetch(remote_id)
        return super().fetch(remote_id) if self.again(outcome) else outcome

    def again(self, outcome: Outcome) -> bool:
        del outcome
        return False


def broken(check: str, sample: Sample = ACME, *, raises: bool = False) -> Callable[[Any], Any]:
    """Register a connector; the first line of its docstring names its fault."""

    def register(style: Any) -> Any:
        FAULTS.append(Fault(check, style.__name__, style.__doc__.splitlines()[0], style, sample, raises))
        return style

    return register


def misreads(check: str, what: str, when: When, kind: OutcomeKind | None = None, **changes: Any) -> None:
    """A connector that hands an outcome on changed, `when` it is so."""
    altered = changes if kind is None else {"kind": kind, **changes}

    def judged(self: Tampered, outcome: Outcome) -> Outcome:
        return replace(outcome, **altered) if when(outcome, self.last) else outcome

    _made(check, what, judged=judged)


def repeats(check: str, what: str, when: When) -> None:
    """A connector that asks again, `when` the outcome is so."""

    def again(self: Again, outcome: Outcome) -> bool:
        return when(outcome, self.last)

    _made(check, what, (Again,), again=again)


def leaves(
    check: str, what: str, change: Callable[[dict[str, Any]], dict[str, Any]], name: str | None = None
) -> None:
    """A connector that sends something else in the body of a change."""

    def leaving(self: Leaving, values: dict[str, Any]) -> dict[str, Any]:
        del self
        return change(values)

    _made(check, what, (Leaving,), name, leaving=leaving)


def every_text(change: Callable[[str], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda values: {
        name: change(value) if isinstance(value, str) else value for name, value in values.items()
    }


def finds(check: str, what: str, when: When, change: Callable[[Found], Found]) -> None:
    """A connector that finds something else, `when` it is so."""

    def found(self: Tampered, found: Found) -> Found:
        return change(found) if when(found.outcome, self.last) else found

    _made(check, what, found=found)


def reports(check: str, what: str, change: Callable[[CheckReport], CheckReport]) -> None:
    """A connector whose connection check says something else."""

    def checked(self: Tampered) -> CheckReport:
        return change(AcmeConnector.check(self))

    _made(check, what, check=checked)


def describes(check: str, what: str, **changes: Any) -> None:
    """A connector with another descriptor."""
    _made(check, what, descriptor=replace(AcmeConnector.descriptor, **changes))


def tables(check: str, what: str, name: str, **changes: Any) -> None:
    """A connector with another row in its field table."""
    rows = AcmeConnector.descriptor.fields
    fields = tuple(replace(row, **changes) if row.name == name else row for row in rows)
    describes(check, what, fields=fields)


def answers(check: str, what: str, change: Callable[[Answer], Answer]) -> None:
    """A connector that reads another answer than the one that came."""

    def answered(self: Tampered, answer: Answer) -> Answer:
        del self
        return change(answer)

    _made(check, what, answered=answered)


def _made(
    check: str, what: str, bases: tuple[type, ...] = (Tampered,), name: str | None = None, /, **methods: Any
) -> None:
    named = name or check.title().replace("_", "").replace("-", "Not")
    broken(check)(type(named, bases, {"__doc__": what, **methods}))


def status(*wanted: int | None) -> When:
    return lambda outcome, _answer: outcome.exchange.status in wanted


def kind(*wanted: OutcomeKind) -> When:
    return lambda outcome, _answer: outcome.kind in wanted


def said(words: str) -> When:
    return lambda outcome, _answer: words in outcome.detail


def writing(outcome: Outcome, answer: Answer) -> bool:
    del answer
    return outcome.exchange.method != "GET"


def reading(outcome: Outcome, answer: Answer) -> bool:
    return not writing(outcome, answer)


def html(outcome: Outcome, answer: Answer) -> bool:
    del outcome
    return is_html(answer)


def always(outcome: Outcome, answer: Answer) -> bool:
    del outcome, answer
    return True


def both(*conditions: When) -> When:
    return lambda outcome, answer: all(condition(outcome, answer) for condition in conditions)


def without(condition: When) -> When:
    return lambda outcome, answer: not condition(outcome, answer)


def header(name: str) -> When:
    return lambda _outcome, answer: name in answer.headers
