"""What the configuration of a target means for planning, and the engine's times. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sdk.fields import Field


@dataclass(frozen=True, slots=True)
class Policy:
    """One target's rules. `fields` holds the specification of every owned field."""

    target: str
    title: str
    fields: Mapping[str, Field]
    correlation: str
    name_field: str  # the user name: what `protected_names` speaks of
    active_field: str | None
    immutable_key: str | None = None
    containers: frozenset[str] = frozenset()
    privileged: Mapping[str, str] = field(default_factory=dict)  # field -> deny | approve | allow
    protected_names: frozenset[str] = frozenset()
    protected_ids: frozenset[str] = frozenset()
    managed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # sets that are exact within these
    leaver: str = "hold"
    on_missing: str = "hold"
    on_leave_scope: str = "hold"
    always_send: tuple[str, ...] = ()
    superuser_field: str | None = None  # who has it may do everything; owned or not
    superuser_through: frozenset[str] = frozenset()
    observe_only: bool = True
    masked: frozenset[str] = frozenset()  # owned fields whose values the audit does not show


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, and counts where the name says so (DESIGN sections 2 to 4)."""

    observe_max_age_s: float = 86_400
    late_effect_s: float = 30
    revocation_recheck_s: float = 60
    reread_s: tuple[float, ...] = (2, 10)
    backoff_base_s: float = 5
    backoff_max_s: float = 21_600
    conflict_tries: int = 3
    same_failure_limit: int = 5
