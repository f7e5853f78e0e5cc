"""What the operators' routes work with: the use cases, over one process's parts."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from functools import cached_property

from config.settings import ConfigurationError, Settings
from worker.api.idempotency import Once
from worker.api.operator.access import Access
from worker.api.parts import Parts
from worker.api.problems import ProblemError
from worker.bootstrap import build_linking, build_merging, build_planning, build_targets
from worker.engine.deciding import Deciding
from worker.engine.linking import Linking
from worker.engine.merging import Merging
from worker.engine.operators import Operators
from worker.engine.pausing import Pausing
from worker.engine.planning import Planning
from worker.engine.proposing import unfit
from worker.engine.reconcile_desk import ReconcileDesk
from worker.engine.rekeying import Rekeying
from worker.engine.run_desk import RunDesk
from worker.engine.target import Target
from worker.retention import HOUR_S
from worker.storage.view import SqlViewer
from worker.target_rules import check_targets

_NOT_FOUND, _CONFLICT = 404, 409


class Desk:
    """Safe from several threads. Connectors are built at the first request that needs them."""

    def __init__(self, settings: Settings, parts: Parts, access: Access) -> None:
        self.settings = settings
        self.parts = parts
        self.access = access
        self.once = Once(parts.store, settings.retention.idempotency_hours * HOUR_S)
        self.viewer = SqlViewer(parts.reader)
        self.runs = RunDesk(parts.store, parts.signals)
        self.reconciling = ReconcileDesk(parts.store, parts.signals)
        self.pausing = Pausing(parts.store, parts.signals, settings.engine.shards)
        self.rekeying = Rekeying(parts.store)
        self._lock = threading.Lock()

    @cached_property
    def deciding(self) -> Deciding:
        engine = self.settings.engine
        return Deciding(
            self.parts.store, self.parts.signals, self._targets, engine.shards, engine.approval_valid_s
        )

    def planning(self, names: Collection[str] = ()) -> Planning:
        """For these targets; for none of them by name: for all."""
        chosen = [target for target in self._targets.values() if not names or target.name in names]
        return build_planning(self.settings, self.viewer, chosen)

    def linking(self, name: str) -> Linking:
        """At this target. Raises ProblemError while a target's configuration is wrong."""
        self._require_sound()
        return build_linking(self.settings, self.parts.store, self.parts.signals, name)

    def merging(self) -> Merging:
        """Raises ProblemError while a target's configuration is wrong."""
        self._require_sound()
        return build_merging(self.settings, self.parts.store, self.parts.signals)

    def _require_sound(self) -> None:
        try:
            check_targets(self.settings)
        except ConfigurationError:
            words = "the configuration of a target is wrong: `hirewire check` tells what"
            raise ProblemError(_CONFLICT, words) from None

    @property
    def _targets(self) -> Mapping[int, Target]:
        with self._lock:
            return self._built

    @cached_property
    def _built(self) -> Mapping[int, Target]:
        return build_targets(self.settings, self.parts.store)

    def require_listing(self, name: str) -> None:
        """Raises ProblemError for a target that cannot be asked for all of its accounts."""
        target = next(target for target in self._targets.values() if target.name == name)
        if not target.connector.descriptor.can_scan:
            raise ProblemError(_CONFLICT, f"{name} has no listing to compare with: ask for a resync")

    def require_fit(self, name: str) -> None:
        """Raises ProblemError for a target whose accounts cannot be enrolled."""
        target = next(target for target in self._targets.values() if target.name == name)
        if why := unfit(target):
            raise ProblemError(_CONFLICT, why)

    def require_sources(self, names: Collection[str]) -> None:
        """Raises ProblemError for one that is not configured."""
        for name in names:
            if name not in self.settings.sources:
                raise ProblemError(_NOT_FOUND, f"no source is called {name!r}")

    def require_targets(self, names: Collection[str]) -> None:
        """Raises ProblemError for one that is not configured."""
        for name in names:
            if name not in self.settings.targets:
                raise ProblemError(_NOT_FOUND, f"no target is called {name!r}")


def build_desk(settings: Settings, parts: Parts) -> Desk:
    return Desk(settings, parts, Access(Operators(parts.store)))
