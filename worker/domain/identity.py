"""The person: attributes folded from events, newest wins, each with the event it came from.

Pure and order-free: folding the same events in any order ends in the same attribute values. A
cleared attribute keeps its version (a tombstone), so that an older event cannot bring it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Json
from worker.domain.event import Event

FORMER_KEPT = 5
_NAME_LENGTH = 200
FORMER_OF = frozenset({"user_name", "email", "employee_number"})  # what `find` may correlate by


def name_key(text: str) -> str:
    """How a name is looked up: what is alike for somebody is alike here."""
    return text.strip().casefold()[:_NAME_LENGTH]


@dataclass(frozen=True, slots=True)
class Asserted:
    """One attribute: value (None: cleared), the order of the event that set it, and which it was."""

    value: Json
    order: str
    event: int  # the event's row
    revision: int
    source: str
    former: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """The place of one event among its source's events."""

    order: str
    event: int

    @property
    def key(self) -> tuple[str, int]:
        return self.order, self.event


@dataclass(frozen=True, slots=True)
class Identity:
    """`revision` counts the changes; it never goes back."""

    subject: str
    revision: int = 0
    attributes: Mapping[str, Asserted] = field(default_factory=dict)
    snapshots: Mapping[str, Mark] = field(default_factory=dict)  # source -> its newest snapshot

    def values(self) -> dict[str, Json]:
        return {name: asserted.value for name, asserted in self.attributes.items()}

    def names(self) -> frozenset[tuple[str, str]]:
        """Attribute and text of all that the person is and was called, without regard to case.

        Long ones are cut: no target takes them, and no index does.
        """
        called = ((name, self.attributes[name]) for name in FORMER_OF if name in self.attributes)
        return frozenset(
            (name, name_key(text))
            for name, held in called
            for text in (held.value, *held.former)
            if isinstance(text, str)
        )

    @property
    def leaver(self) -> bool:
        active = self.attributes.get("active")
        return active is not None and active.value is False


@dataclass(frozen=True, slots=True)
class Folded:
    """`changed` names attributes whose value moved; `ties` counts equal orders with other values."""

    identity: Identity
    changed: tuple[str, ...]
    superseded: tuple[str, ...]
    ties: int = 0


def fold(identity: Identity, event: Event, row: int) -> Folded:
    """Apply one event. `row` grows with arrival and breaks ties between equal orders."""
    revision = identity.revision + 1
    mark = Mark(event.order, row)
    attributes = dict(identity.attributes)
    changed: list[str] = []
    superseded: list[str] = []
    ties = 0
    for name, value in _assertions(identity, event).items():
        held = attributes.get(name)
        if held is None and (cleared := _cleared_by_snapshot(identity, event, mark)) is not None:
            attributes[name] = replace(cleared, revision=revision)
            changed.append(name)
            superseded.append(name)
            continue
        ties += held is not None and _is_tie(held, event, value)
        if held is not None and _is_newer(held, event, mark):
            superseded.append(name)
            continue
        moved = held is None or held.value != value
        attributes[name] = _assert(name, held, Asserted(value, event.order, row, revision, event.source))
        changed += [name] if moved else []
    grown = Identity(
        identity.subject,
        revision if changed else identity.revision,
        attributes,
        _marked(identity, event, mark),
    )
    return Folded(grown, tuple(changed), tuple(superseded), ties)


def _assertions(identity: Identity, event: Event) -> Mapping[str, Json]:
    """A snapshot also clears what its source asserted before and names no more."""
    if not event.snapshot:
        return event.assertions
    known = {name: None for name, held in identity.attributes.items() if held.source == event.source}
    return {**known, **event.assertions}


def _is_newer(held: Asserted, event: Event, mark: Mark) -> bool:
    """By the source's own order; what another source had said before is older if it came earlier."""
    if held.source != event.source:
        return held.event >= mark.event
    return (held.order, held.event) >= mark.key


def _is_tie(held: Asserted, event: Event, value: Json) -> bool:
    return held.source == event.source and held.order == event.order and held.value != value


def _cleared_by_snapshot(identity: Identity, event: Event, mark: Mark) -> Asserted | None:
    """What a newer snapshot that was folded first said of an attribute it did not name."""
    newest = identity.snapshots.get(event.source)
    if newest is None or newest.key <= mark.key:
        return None
    return Asserted(None, newest.order, newest.event, identity.revision, event.source)


def _marked(identity: Identity, event: Event, mark: Mark) -> Mapping[str, Mark]:
    newest = identity.snapshots.get(event.source)
    if not event.snapshot or (newest is not None and newest.key >= mark.key):
        return identity.snapshots
    return {**identity.snapshots, event.source: mark}


def _assert(name: str, held: Asserted | None, new: Asserted) -> Asserted:
    if held is None:
        return new
    if held.value == new.value:
        return replace(new, revision=held.revision, former=held.former)
    if name not in FORMER_OF or held.value is None:
        return replace(new, former=held.former)
    former = (held.value, *(old for old in held.former if old not in (held.value, new.value)))
    return replace(new, former=former[:FORMER_KEPT])
