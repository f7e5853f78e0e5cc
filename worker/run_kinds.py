"""Puts together who carries out runs of each kind, for a worker and for rehearsals at a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from config.settings import Settings
from worker.engine.enrol_ports import ENROL
from worker.engine.importing import IMPORT, Doors, Importing
from worker.engine.judge import MAPPING, Judge, PlanBrake
from worker.engine.listing import Lister
from worker.engine.marking import RESYNC, Marking
from worker.engine.ports import Signals, Store
from worker.engine.reconciling import RECONCILE
from worker.engine.replaying import REPLAY, Replaying
from worker.engine.runs import Kind
from worker.engine.target import Target
from worker.engine.target_runs import TargetRuns
from worker.intake import build_doors
from worker.reconciliation import build_enrolling, build_reconciling


def build_kinds(
    settings: Settings, store: Store, signals: Signals, targets: Mapping[int, Target], lister: Lister
) -> dict[str, Kind]:
    """Who carries out the runs of each kind."""
    runs = build_target_runs(settings, store, signals, targets)
    marking = Marking(store, signals, settings.engine.shards, runs.judge)
    doors = build_doors(settings, store, signals)
    return {
        RESYNC: marking,
        MAPPING: marking,
        IMPORT: build_importing(settings, store, doors, runs.judge, targets),
        REPLAY: Replaying(runs),
        RECONCILE: build_reconciling(settings, runs, lister),
        ENROL: build_enrolling(settings, runs, lister),
    }


def build_judge(settings: Settings, targets: Mapping[int, Target]) -> Judge:
    engine = settings.engine
    return Judge(targets, PlanBrake(engine.plan_brake_share, engine.plan_brake_min_accounts))


def build_target_runs(
    settings: Settings, store: Store, signals: Signals, targets: Mapping[int, Target]
) -> TargetRuns:
    return TargetRuns(store, signals, build_judge(settings, targets), targets, settings.engine.shards)


def build_importing(
    settings: Settings, store: Store, doors: Doors, judge: Judge, targets: Mapping[int, Target]
) -> Importing:
    sources = settings.sources
    return Importing(
        store,
        doors,
        judge,
        targets,
        {name: source.uri for name, source in sources.items()},
        frozenset(name for name, source in sources.items() if source.payload == "snapshot"),
        settings.engine.import_backlog,
    )
