"""What no section can see alone: rules between sources, targets, engine and stack. Pure.

Runs on whatever part of the configuration is valid in itself, so that all problems show at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from config.names import overlaps
from config.sections import Broker, Engine, Sidecar, Source
from config.targets import Target

LEASE_SHARE = 7 / 12
"""Of a lease, what is left for a request in the worst case: it is renewed when a third of it is over, and a
twelfth (5 s of the default lease) is kept as a margin."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The sections that are valid in themselves. `target_names` also has those that are not."""

    engine: Engine | None
    broker: Broker | None
    sources: Mapping[str, Source]
    targets: Mapping[str, Target]
    sidecars: Mapping[str, Sidecar]
    target_names: frozenset[str]


def cross_problems(parts: Parts) -> Iterator[str]:
    """One line for each rule that is broken."""
    yield from _authority(parts.sources)
    yield from _uris(parts.sources)
    yield from _keys(parts.sources)
    yield from _times(parts)
    yield from _sidecars(parts)
    yield from _addresses(parts)


def _authority(sources: Mapping[str, Source]) -> Iterator[str]:
    for name, source in sources.items():
        for one, other in combinations(source.attributes, 2):
            if overlaps(one, other):
                yield f"sources.{name}.attributes: {one} and {other} overlap"
    for (first, one_source), (second, other_source) in combinations(sources.items(), 2):
        for one in one_source.attributes:
            for other in other_source.attributes:
                if overlaps(one, other):
                    yield (
                        f"sources.{second}.attributes: {other} already belongs to source {first}; "
                        "each attribute has one authoritative source"
                    )


def _uris(sources: Mapping[str, Source]) -> Iterator[str]:
    for (first, one), (second, other) in combinations(sources.items(), 2):
        if (one.uri or first) == (other.uri or second):
            yield f"sources.{second}.uri: is also the uri of source {first}"


def _keys(sources: Mapping[str, Source]) -> Iterator[str]:
    """A key names its source, so no two may have the same."""
    owners: dict[str, str] = {}
    for name, source in sources.items():
        for key in source.keys.values():
            owner = owners.setdefault(key.sha256, name)
            if owner != name:
                yield f"sources.{name}.keys: has a key of source {owner}"


def _times(parts: Parts) -> Iterator[str]:
    if parts.engine is None:
        return
    lease = parts.engine.lease_s
    for name, target in parts.targets.items():
        if lease * LEASE_SHARE <= target.timeouts.deadline_s:
            yield f"engine.lease_s: must exceed targets.{name}.timeouts.deadline_s by 5/7 of it"
    if parts.broker and parts.broker.visibility_timeout_s <= parts.engine.sync_max_s + lease:
        yield (
            "broker.visibility_timeout_s: must exceed engine.sync_max_s + engine.lease_s, "
            "or the broker hands a running sync to a second worker"
        )


def _sidecars(parts: Parts) -> Iterator[str]:
    served: dict[str, str] = {}
    for name, sidecar in parts.sidecars.items():
        if sidecar.target is None:
            continue
        if sidecar.target not in parts.target_names:
            yield f"stack.sidecars.{name}.target: there is no target {sidecar.target}"
        if sidecar.target in served:
            yield f"stack.sidecars.{name}.target: sidecar {served[sidecar.target]} serves it already"
        served[sidecar.target] = name


def _addresses(parts: Parts) -> Iterator[str]:
    served = {sidecar.target for sidecar in parts.sidecars.values()}
    for name, target in parts.targets.items():
        if not target.base_url and name not in served:
            yield f"targets.{name}.base_url: is missing"
