"""`/metrics`: what a monitor reads, made from rows at each scrape, and at most once in five seconds.

It needs the token of a viewer. A registry of our own: several processes of this interface each tell the
same gauges, from the same rows. Only the counter of outcomes is of one process, from its first scrape on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from config.settings import Settings
from worker.api import problems
from worker.api.operator.access import Access, CallerOf, guarded
from worker.api.operator.routing import HEADERS
from worker.api.parts import Parts
from worker.api.recent import Recent
from worker.storage.freshness import TargetLook
from worker.storage.heartbeats import Mark, Program
from worker.storage.measures import Measures, measures
from worker.storage.outcomes import Key, Outcomes

KEEP_S = 5.0
_REFUSALS = (401, 403, 429, 503)
_QUANTILES = (("0.5", "p50_s"), ("0.95", "p95_s"), ("0.99", "p99_s"))


@dataclass(frozen=True, slots=True)
class Told:
    """One metric: its labels, and what it says."""

    labels: tuple[str, ...]
    help: str


GAUGES: Final[Mapping[str, Told]] = {
    "hirewire_events_to_fold": Told((), "Accepted events that wait to be folded now."),
    "hirewire_events_for_later": Told((), "Accepted events whose time has not come."),
    "hirewire_oldest_event_to_fold_seconds": Told(
        (), "How long the oldest of them has waited; 0: none waits."
    ),
    "hirewire_accounts_due": Told(("target",), "Accounts that could be worked on now."),
    "hirewire_oldest_due_seconds": Told(("target",), "How long the oldest of them has been due; 0: none is."),
    "hirewire_accounts_in_flight": Told(("target",), "Accounts that a worker has in hand."),
    "hirewire_accounts_later": Told(("target",), "Accounts that wait for their time: back-off, second look."),
    "hirewire_accounts_in_doubt": Told(("target",), "Accounts with a write whose outcome is not known yet."),
    "hirewire_oldest_doubt_seconds": Told(
        ("target",), "How long the oldest doubt has lasted; 0: there is none."
    ),
    "hirewire_accounts_held": Told(("target",), "Accounts with at least one held field."),
    "hirewire_target_paused": Told(("target",), "1 while the target is paused."),
    "hirewire_target_gated": Told(("target",), "1 while the target's gate is closed: it asked to wait."),
    "hirewire_freshness_last_hour_seconds": Told(
        ("target", "quantile"), "From accepting an event to its acknowledgement, over the last hour."
    ),
    "hirewire_acknowledged_last_hour": Told(
        ("target",), "Acknowledged changes of the last hour that freshness is taken of, at most 10000."
    ),
    "hirewire_runs_open": Told(("kind", "state"), "Runs that are not over."),
    "hirewire_alarms_open": Told(("kind",), "Open alarms."),
    "hirewire_programs_alive": Told(("program",), "Workers and beats with a recent heartbeat."),
    "hirewire_audit_sealed_timestamp_seconds": Told((), "When the sealer last found every record sealed."),
    "hirewire_audit_verified_timestamp_seconds": Told(
        (), "When `hirewire audit verify` last found the audit whole."
    ),
    "hirewire_pruned_timestamp_seconds": Told((), "When a prune last ended."),
}
COUNTERS: Final[Mapping[str, Told]] = {
    "hirewire_outcomes_total": Told(
        ("target", "write", "outcome"),
        "Ends of requests, from the audit, since the first scrape of this process.",
    )
}

Sample = tuple[tuple[str, ...], float]


def router(settings: Settings, parts: Parts, access: Access) -> APIRouter:
    routes = APIRouter(route_class=guarded(access), tags=["metrics"])
    page = Recent(_Page(settings, parts.reader).made, KEEP_S)

    def metrics(_: CallerOf) -> Response:
        """Gauges and counters in the Prometheus text format."""
        return Response(page.get(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    text = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The metrics."}
    refused = problems.declared(*_REFUSALS, headers=HEADERS)
    routes.add_api_route(
        "/metrics",
        metrics,
        response_class=PlainTextResponse,
        response_model=None,
        responses={200: text, **refused},
    )
    return routes


class _Page:
    """Reads the rows and writes the text. Outcomes are counted from the first page on."""

    def __init__(self, settings: Settings, engine: sa.Engine) -> None:
        self._heartbeat_s = settings.engine.heartbeat_s
        self._engine = engine
        self._outcomes: Outcomes | None = None

    def made(self) -> bytes:
        self._outcomes = self._outcomes or Outcomes(self._engine)
        with self._engine.connect() as connection:
            seen = measures(connection, self._heartbeat_s)
            counted = self._outcomes.read(connection)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Rows(seen, counted))
        return generate_latest(registry)


class _Rows(Collector):
    """One scrape."""

    def __init__(self, seen: Measures, counted: Mapping[Key, int]) -> None:
        self._seen = seen
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        samples = dict(_samples(self._seen))
        for name, told in GAUGES.items():
            family = GaugeMetricFamily(name, told.help, labels=told.labels)
            for labels, value in samples[name]:
                family.add_metric(labels, value)
            yield family
        for name, told in COUNTERS.items():
            counter = CounterMetricFamily(name.removesuffix("_total"), told.help, labels=told.labels)
            for key, count in sorted(self._counted.items()):
                counter.add_metric(key, count)
            yield counter


def _samples(seen: Measures) -> Iterator[tuple[str, Iterable[Sample]]]:
    yield "hirewire_events_to_fold", [((), seen.events_waiting)]
    yield "hirewire_events_for_later", [((), seen.events_scheduled)]
    yield "hirewire_oldest_event_to_fold_seconds", [((), _age(seen.oldest_event_at, seen.now))]
    yield from _of_targets(seen)
    yield from _of_freshness(seen)
    yield "hirewire_runs_open", sorted(seen.runs.items())
    yield "hirewire_alarms_open", [((kind,), count) for kind, count in sorted(seen.alarms.items())]
    yield "hirewire_programs_alive", [((kind.value,), seen.pulses[kind].alive) for kind in Program]
    yield "hirewire_audit_sealed_timestamp_seconds", _mark(seen, Mark.SEALED)
    yield "hirewire_audit_verified_timestamp_seconds", _mark(seen, Mark.VERIFIED)
    yield "hirewire_pruned_timestamp_seconds", _mark(seen, Mark.PRUNED)


def _of_targets(seen: Measures) -> Iterator[tuple[str, Iterable[Sample]]]:
    values: Mapping[str, Callable[[TargetLook], float]] = {
        "hirewire_accounts_due": lambda look: look.due,
        "hirewire_oldest_due_seconds": lambda look: _age(look.oldest_due_at, seen.now),
        "hirewire_accounts_in_flight": lambda look: look.in_flight,
        "hirewire_accounts_later": lambda look: look.later,
        "hirewire_accounts_in_doubt": lambda look: look.in_doubt,
        "hirewire_oldest_doubt_seconds": lambda look: _age(look.oldest_doubt_at, seen.now),
        "hirewire_accounts_held": lambda look: look.held,
        "hirewire_target_paused": lambda look: float(look.state == "paused"),
        "hirewire_target_gated": lambda look: float(look.state == "gated"),
        "hirewire_acknowledged_last_hour": lambda look: _count(seen, look.name),
    }
    for name, value in values.items():
        yield name, [((look.name,), value(look)) for look in seen.targets]


def _of_freshness(seen: Measures) -> Iterator[tuple[str, Iterable[Sample]]]:
    quantiles = [
        ((target, quantile), float(getattr(fresh, name)))
        for target, fresh in seen.freshness.items()
        for quantile, name in _QUANTILES
    ]
    yield "hirewire_freshness_last_hour_seconds", quantiles


def _count(seen: Measures, target: str) -> float:
    fresh = seen.freshness.get(target)
    return fresh.count if fresh is not None else 0


def _mark(seen: Measures, mark: Mark) -> list[Sample]:
    """Nothing where it was never done: a monitor asks for its absence."""
    return [((), seen.marks[mark])] if mark in seen.marks else []


def _age(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(0.0, now - since)
