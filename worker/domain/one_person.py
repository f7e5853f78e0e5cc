"""Two identities that are one person: their attributes folded into one. Pure.

Promise: the values are those that one person would have if all events of both had been theirs from the
beginning, whichever was folded first. Each attribute keeps the event that set it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.identity import FORMER_KEPT, FORMER_OF, Asserted, Identity, Mark


@dataclass(frozen=True, slots=True)
class Merged:
    """`changed` names the attributes whose value is not the one that the remaining identity had."""

    identity: Identity
    changed: tuple[str, ...]


def merged(into: Identity, gone: Identity) -> Merged:
    """`into` with all that was said about `gone`; a new revision of it, also where no value moved."""
    revision = into.revision + 1
    snapshots = _snapshots(into, gone)
    attributes: dict[str, Asserted] = {}
    for name in sorted(into.attributes.keys() | gone.attributes.keys()):
        said = [one.attributes[name] for one in (into, gone) if name in one.attributes]
        attributes[name] = _one(name, said, snapshots, into.attributes.get(name), revision)
    changed = tuple(name for name, held in attributes.items() if _moved(into.attributes.get(name), held))
    return Merged(replace(into, revision=revision, attributes=attributes, snapshots=snapshots), changed)


def _snapshots(into: Identity, gone: Identity) -> dict[str, Mark]:
    """Of each source the newest."""
    found = dict(into.snapshots)
    for source, mark in gone.snapshots.items():
        if source not in found or found[source].key < mark.key:
            found[source] = mark
    return found


def _one(
    name: str,
    said: Iterable[Asserted],
    snapshots: Mapping[str, Mark],
    ours: Asserted | None,
    revision: int,
) -> Asserted:
    """The newest of what was said, unless a newer snapshot of its source does not name it."""
    ranked = [*said]
    if len(ranked) > 1 and _is_newer(ranked[1], ranked[0]):
        ranked.reverse()
    newest = _swept(ranked[0], snapshots)
    kept = ours.revision if ours is not None and ours.value == newest.value else revision
    return replace(newest, revision=kept, former=_former(name, newest.value, ranked))


def _is_newer(one: Asserted, other: Asserted) -> bool:
    """As `worker.domain.identity` has it: by the order of one source, between sources by arrival."""
    if one.source != other.source:
        return one.event > other.event
    return (one.order, one.event) > (other.order, other.event)


def _swept(held: Asserted, snapshots: Mapping[str, Mark]) -> Asserted:
    newest = snapshots.get(held.source)
    if newest is None or newest.key <= (held.order, held.event):
        return held
    return replace(held, value=None, order=newest.order, event=newest.event)


def _former(name: str, value: Json, ranked: Iterable[Asserted]) -> tuple[Json, ...]:
    """Accounts are searched by what either was called."""
    if name not in FORMER_OF:
        return ()
    found: list[Json] = []
    for held in ranked:
        found += [old for old in (held.value, *held.former) if old not in (None, value, *found)]
    return tuple(found[:FORMER_KEPT])


def _moved(before: Asserted | None, after: Asserted) -> bool:
    return before is None or before.value != after.value
