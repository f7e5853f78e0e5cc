"""Puts reconciliations and enrolments together from the configuration, for the composition root."""

from __future__ import annotations

import random
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from config.settings import Settings
from config.settings import Target as TargetSettings
from worker.domain.cron import Slots, spread
from worker.domain.policy import Timing
from worker.engine.enrolling import Enrolling
from worker.engine.keeper import Keeper
from worker.engine.listing import Lister
from worker.engine.ports import Signals, Stopping, Store
from worker.engine.reconciling import Policy, Reconciling
from worker.engine.target import Target
from worker.engine.target_runs import TargetRuns
from worker.engine.timetable import Planned, Timetable


def build_lister(
    settings: Settings, store: Store, keeper: Keeper, timing: Timing, stopping: Stopping
) -> Lister:
    return Lister(store, keeper, timing, stopping, settings.engine.lease_s, random.random)


def build_reconciling(settings: Settings, runs: TargetRuns, lister: Lister) -> Reconciling:
    return Reconciling(runs, lister, _least_seen(settings))


def build_enrolling(settings: Settings, runs: TargetRuns, lister: Lister) -> Enrolling:
    return Enrolling(runs, lister, _least_seen(settings), settings.engine.observe_max_age_s)


def _least_seen(settings: Settings) -> dict[str, float]:
    return {name: target.reconcile.least_seen for name, target in settings.targets.items()}


def build_timetable(
    settings: Settings, store: Store, signals: Signals, targets: Mapping[int, Target]
) -> Timetable:
    planned = {row: _planned(target.name, settings.targets[target.name]) for row, target in targets.items()}
    return Timetable(store, signals, {row: found for row, found in planned.items() if found is not None})


def _planned(name: str, target: TargetSettings) -> Planned | None:
    said = target.reconcile
    if said.schedule is None:
        return None
    slots = Slots(said.schedule, ZoneInfo(said.timezone), spread(name, said.jitter_s))
    return Planned(name, slots, Policy(said.policy))
