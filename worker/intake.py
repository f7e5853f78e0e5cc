"""Puts the intake together from the configured sources, for the composition root and for commands."""

from __future__ import annotations

from config.settings import Settings, Source
from worker.domain.extract import Mapped, as_sent
from worker.domain.strict_json import Limits
from worker.engine.accept import Intake, Reader
from worker.engine.importing import Doors
from worker.engine.ports import Signals, Store


def build_intake(settings: Settings, store: Store, signals: Signals) -> Intake:
    limits = settings.intake
    return Intake(
        store,
        signals,
        {source.uri: _reader(name, source) for name, source in settings.sources.items()},
        Limits(limits.max_event_bytes, limits.max_depth, limits.max_keys, limits.max_string),
        settings.engine.future_tolerance_s,
    )


def _reader(name: str, source: Source) -> Reader:
    extract = Mapped.compile(source.mapping) if source.mapping else as_sent
    counted = source.ingest and source.order == "integer" and source.report_gaps
    return Reader(name, source, extract, counted=counted)


def build_doors(settings: Settings, store: Store, signals: Signals) -> Doors:
    """What a file brings: events as the source sends them, and rows whose data names attributes."""
    plain = {name: source.model_copy(update={"mapping": {}}) for name, source in settings.sources.items()}
    unmapped = settings.model_copy(update={"sources": plain})
    return Doors(build_intake(settings, store, signals), build_intake(unmapped, store, signals))
