"""The composition root: the only place that names concrete things and puts them together.

`open_runtime` gives one process its parts. Nothing is opened at import; a forked process builds
its own runtime.
"""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from celery import Celery

from config.settings import Engine, People, Settings
from config.settings import Target as TargetSettings
from connectors.sdk.contract import Connector
from connectors.sdk.model import Json
from connectors.sdk.registry import style_named
from worker.anchors import build_sealer
from worker.broker import redis_client
from worker.databases import open_writer
from worker.domain.dates import Dates
from worker.domain.mapping import compile_expression, compile_mapping
from worker.domain.person import View
from worker.domain.policy import Timing
from worker.engine import configuration
from worker.engine.accept import Intake
from worker.engine.braking import Brake
from worker.engine.census import CensusTaker
from worker.engine.clashes import Clashes
from worker.engine.fold import Fold
from worker.engine.keeper import Keeper
from worker.engine.linking import Linking
from worker.engine.merging import Merging
from worker.engine.planning import Planning, PlanRules
from worker.engine.ports import Signals, Stopping, Store, Vitals
from worker.engine.relay import Relay
from worker.engine.room import Room
from worker.engine.run_desk import RunDesk
from worker.engine.runs import Runs
from worker.engine.settle import Settler
from worker.engine.sync import Sync, SyncRules
from worker.engine.target import Health, Rules, Target
from worker.engine.timetable import Timetable
from worker.engine.view_ports import Viewer
from worker.engine.wake import Waker
from worker.fingerprint import fingerprint
from worker.intake import build_intake
from worker.reconciliation import build_lister, build_timetable
from worker.retention import build_pruner
from worker.run_kinds import build_kinds
from worker.signals import CelerySignals
from worker.storage.prune import Pruner
from worker.storage.seal import Sealer
from worker.storage.store import SqlStore
from worker.target_rules import check_targets, connector_config, merged_mapping, rules

_SPARE_THREADS = 4  # for probes


def open_store(settings: Settings, engine: sa.Engine) -> SqlStore:
    """The store, with the configured targets and their slots registered."""
    store = SqlStore(engine, settings.engine.shards)
    with store.begin() as tx:
        slots = {name: target.max_in_flight for name, target in settings.targets.items()}
        tx.targets.register(slots, settings.engine.shards)
    return store


def open_signals(settings: Settings, app: Celery) -> CelerySignals:
    return CelerySignals(app, redis_client(settings), settings.engine.signal_ttl_s)


def open_connector(name: str, target: TargetSettings) -> Connector:
    return style_named(target.connector)(connector_config(name, target))


def build_targets(settings: Settings, store: Store) -> dict[int, Target]:
    """The configured targets by row."""
    with store.begin() as tx:
        rows = {state.name: state.id for state in tx.targets.all()}
    return {
        rows[name]: _target(rows[name], name, target, settings) for name, target in settings.targets.items()
    }


def _target(row: int, name: str, target: TargetSettings, settings: Settings) -> Target:
    connector = open_connector(name, target)
    descriptor = connector.descriptor
    policy = rules(name, target, descriptor, settings.audit)
    mapping = merged_mapping(target, descriptor)
    view = View(
        mapping=compile_mapping(mapping),
        scope=compile_expression(target.scope) if target.scope else None,
        correlation=policy.correlation,
        encode=connector.encode,
        dates=_dates(settings.people),
    )
    return Target(
        id=row,
        name=name,
        connector=connector,
        rules=Rules(policy),
        view=view,
        max_in_flight=target.max_in_flight,
        rate_per_s=target.rate_per_s,
        deadline_s=target.timeouts.deadline_s,
        health=Health(settings.engine.pause_after, settings.engine.missing_per_minute),
        fingerprint=fingerprint(target, descriptor, mapping, policy, settings.people),
    )


def dates_from(settings: Settings) -> Dates:
    return _dates(settings.people)


def _dates(people: People) -> Dates:
    return Dates(ZoneInfo(people.timezone), people.end_date, people.start_date)


def build_merging(settings: Settings, store: Store, signals: Signals) -> Merging:
    engine = settings.engine
    return Merging(store, signals, _dates(settings.people), engine.shards, engine.lease_s)


def build_linking(settings: Settings, store: Store, signals: Signals, name: str) -> Linking:
    """At this target, with a connection of its own: whose our token is, is asked again."""
    only = settings.model_copy(update={"targets": {name: settings.targets[name]}})
    (target,) = build_targets(only, store).values()
    return Linking(store, signals, target, settings.engine.shards, settings.engine.lease_s)


def announce(settings: Settings) -> dict[str, str]:
    """A worker starts, before any process of it works: its configuration is the one that counts now.

    The fingerprint of each target.
    """
    check_targets(settings)
    engine = open_writer(settings)
    try:
        store = open_store(settings, engine)
        targets = build_targets(settings, store).values()
        configuration.announce(store, targets)
        return {target.name: target.fingerprint for target in targets}
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Runtime:
    """One process's parts. `stopping` is set when the worker is asked to stop."""

    settings: Settings
    store: SqlStore
    signals: Signals
    targets: Mapping[int, Target]
    executor: Executor
    settler: Settler
    keeper: Keeper
    intake: Intake
    fold: Fold
    relay: Relay
    runs: Runs
    timetable: Timetable
    desk: RunDesk
    sealer: Sealer
    pruner: Pruner
    stopping: Stopping
    room: Room
    vitals: Vitals
    proven: threading.Event  # a sync of this process got something done, and ended

    def sync(self, shard: int) -> int:
        """Work off one shard; how many accounts settled."""
        work = Sync(
            shard,
            self.targets,
            self.store,
            self.signals,
            self.executor,
            self.settler,
            self.keeper,
            _sync_rules(self.settings.engine),
            self.stopping,
            self.room,
            self.vitals,
            careful=not self.proven.is_set(),
        )
        settled = work.run()
        if settled:
            self.proven.set()
        return settled

    def ingest(self, args: Sequence[Json], kwargs: Mapping[str, Json]) -> None:
        """Record whatever reached the broker: one event, or something that is none."""
        event: Json = args[0] if len(args) == 1 and not kwargs else kwargs.get("event", [*args, dict(kwargs)])
        raw = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        allowed = self.settings.ingest_enabled_sources
        with self.room.shared():
            self.intake.accept([raw.encode("utf-8", "surrogatepass")], "broker", only=allowed)


class Unwatched:
    """Vitals of a process that no watchdog looks after."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex

    def settled(self, shard: int) -> None: ...

    def folded(self) -> None: ...


def open_runtime(settings: Settings, app: Celery, stopping: Stopping, vitals: Vitals) -> Runtime:
    """Build everything a worker process needs. Raises ConfigurationError for a bad target."""
    return assemble(settings, open_signals(settings, app), stopping, vitals)


def assemble(
    settings: Settings, signals: Signals, stopping: Stopping, vitals: Vitals | None = None
) -> Runtime:
    """The parts around these signals: a worker's on a broker, or others'."""
    check_targets(settings)
    vitals, room = vitals or Unwatched(), Room()
    engine = settings.engine
    store = open_store(settings, open_writer(settings))
    targets = build_targets(settings, store)
    dates = _dates(settings.people)
    executor = ThreadPoolExecutor(engine.threads * engine.shards + _SPARE_THREADS, "hirewire-http")
    keeper = Keeper(
        targets, store, signals, executor, engine.shards, engine.probe_every_s, engine.probe_max_s
    )
    brake = Brake(engine.brake_min, engine.brake_share, engine.brake_window_s)
    lister = build_lister(settings, store, keeper, _timing(engine), stopping)
    return Runtime(
        settings=settings,
        store=store,
        signals=signals,
        targets=targets,
        executor=executor,
        settler=Settler(
            _timing(engine), brake, keeper, Clashes(store, signals), _census(engine), random.random
        ),
        keeper=keeper,
        intake=build_intake(settings, store, signals),
        fold=Fold(
            store,
            signals,
            frozenset(settings.targets),
            engine.fold_batch,
            engine.shards,
            dates,
            engine.backoff_max_s,
            partial(_batch, room, vitals),
        ),
        relay=Relay(
            store,
            signals,
            keeper,
            {row: target.name for row, target in targets.items()},
            engine.brake_window_s,
            engine.freshness_alarm_s,
            Waker(store, signals, frozenset(settings.targets), dates, engine.shards),
            engine.configuration_alarm_s,
            engine.gap_alarm_s,
            engine.gap_kept_s,
        ),
        runs=Runs(
            store,
            signals,
            stopping,
            build_kinds(settings, store, signals, targets, lister),
            engine.sync_max_s,
        ),
        timetable=build_timetable(settings, store, signals, targets),
        desk=RunDesk(store, signals),
        sealer=build_sealer(settings, store),
        pruner=build_pruner(settings, store, stopping),
        stopping=stopping,
        room=room,
        vitals=vitals,
        proven=threading.Event(),
    )


@contextmanager
def _batch(room: Room, vitals: Vitals) -> Iterator[None]:
    """Around each batch of a fold: nobody folds beside somebody who is to be alone."""
    with room.shared():
        yield
    vitals.folded()


def _census(engine: Engine) -> CensusTaker:
    return CensusTaker(engine.lease_s + engine.late_effect_s, engine.backoff_base_s)


def _timing(engine: Engine) -> Timing:
    return Timing(
        observe_max_age_s=engine.observe_max_age_s,
        late_effect_s=engine.late_effect_s,
        revocation_recheck_s=engine.revocation_recheck_s,
        reread_s=tuple(engine.reread_s),
        backoff_base_s=engine.backoff_base_s,
        backoff_max_s=engine.backoff_max_s,
        conflict_tries=engine.conflict_tries,
        same_failure_limit=engine.same_failure_limit,
    )


def build_planning(
    settings: Settings, viewer: Viewer, targets: Iterable[Target], *, reads: bool = False
) -> Planning:
    """What would be sent to these targets; `reads`: they are asked (GET only)."""
    engine = settings.engine
    brake = Brake(engine.brake_min, engine.brake_share, engine.brake_window_s)
    rules = PlanRules(_timing(engine), brake, engine.crash_limit, engine.future_tolerance_s)
    return Planning(viewer, {target.name: target for target in targets}, rules, reads=reads)


def _sync_rules(engine: Engine) -> SyncRules:
    return SyncRules(
        shards=engine.shards,
        threads=engine.threads,
        tick_s=engine.tick_s,
        tick_items=engine.tick_items,
        sync_max_s=engine.sync_max_s,
        linger_s=engine.linger_s,
        lease_s=engine.lease_s,
        signal_ttl_s=engine.signal_ttl_s,
        configuration_alarm_s=engine.configuration_alarm_s,
        crash_limit=engine.crash_limit,
    )
