"""The sections that say how Hirewire itself runs. Frozen; seconds carry the suffix `_s`.

Each default is the value that the design gives; `hirewire.example.toml` has the reasons.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config.expressions import Expression
from config.names import ROW_WORDS, Attribute, Authority, EventType, Name, RowWord, overlaps
from config.secrets import read_secret
from config.senders import ApiKey, Delivery, SigningSecret

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


DUPLICATE_DAYS = 30
"""What senders are promised: within it the same id is the same event."""


def _not_empty(entries: tuple[str, ...]) -> tuple[str, ...]:
    if not entries:
        raise ValueError("must have at least one entry")
    return entries


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError("is not the name of an encoding, like utf-8 or cp1252") from None


def known_zone(name: str) -> str:
    """Raises `ValueError` for what is no zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone, no name at all, a folder of zones
        raise ValueError('is not the IANA name of a time zone, like "Europe/Berlin"') from None
    return name


class Section(BaseModel):
    """Frozen, refuses unknown keys, never shows what was given in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Service(Section):
    """A server that we connect to. Its address holds a password, so it may come from a file of its own.

    The file is read when the configuration is loaded: `url` then has what it says.
    """

    schemes: ClassVar[tuple[str, ...]] = ()

    url_file: Path | None = None
    url: Annotated[SecretStr | None, Field(validate_default=True)] = None

    @field_validator("url_file")
    @classmethod
    def _usable(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_secret(path)
        return path

    @field_validator("url", mode="before")
    @classmethod
    def _from_file(cls, url: object, info: ValidationInfo) -> object:
        file: Path | None = info.data.get("url_file")
        if file is None:
            return url
        if url is not None:
            raise ValueError("and url_file: needs at most one of them")
        return read_secret(file)

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(cls.schemes):
            raise ValueError(f"must start with one of {', '.join(cls.schemes)}")
        return url


class Database(Service):
    """Neither `url` nor `url_file`: a SQLite file in the state folder."""

    schemes: ClassVar[tuple[str, ...]] = ("sqlite:///", "postgresql+psycopg://", "postgresql://")


class Broker(Service):
    """Neither `url` nor `url_file`: a Valkey of our own on a unix socket, started with the stack."""

    schemes: ClassVar[tuple[str, ...]] = ("redis://", "rediss://", "redis+socket://")

    visibility_timeout_s: Count = 300


class Engine(Section):
    shards: Annotated[int, Field(ge=1, le=256)] = 2
    threads: Annotated[int, Field(ge=1, le=256)] = 16
    tick_s: Positive = 0.05
    tick_items: Count = 100
    sync_max_s: Positive = 30
    linger_s: NotNegative = 0.3
    signal_ttl_s: Positive = 5
    relay_every_s: Positive = 2
    schedule_every_s: Positive = 10
    fold_batch: Count = 100
    lease_s: Positive = 60
    observe_max_age_s: NotNegative = 86400
    late_effect_s: NotNegative = 30
    revocation_recheck_s: NotNegative = 60
    reread_s: tuple[Positive, ...] = (2, 10)
    backoff_base_s: Positive = 5
    backoff_max_s: Positive = 21600
    probe_every_s: Positive = 30
    probe_max_s: Positive = 3600
    pause_after: Count = 3
    missing_per_minute: Count = 10
    same_failure_limit: Count = 5
    crash_limit: Count = 3
    watchdog_s: Positive = 60
    heartbeat_s: Positive = 10
    conflict_tries: Count = 3
    future_tolerance_s: NotNegative = 600
    freshness_alarm_s: Positive = 900
    brake_min: Annotated[int, Field(ge=0)] = 5
    brake_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    brake_window_s: Positive = 3600
    approval_valid_s: Positive = 86400
    plan_brake_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    plan_brake_min_accounts: Annotated[int, Field(ge=1)] = 20
    configuration_alarm_s: Positive = 600
    import_stale_s: Positive = 900
    import_backlog: Count = 2000
    gap_alarm_s: Positive = 300
    gap_kept_s: Positive = 604800

    @model_validator(mode="after")
    def _ladder_goes_up(self) -> Engine:
        if self.backoff_base_s > self.backoff_max_s:
            raise ValueError("backoff_base_s must not be above backoff_max_s")
        return self


class Intake(Section):
    """Limits of one event; whatever is above them is refused and recorded, never cut."""

    max_event_bytes: Count = 262144
    max_depth: Count = 16
    max_keys: Count = 256
    max_string: Count = 65536


class Api(Section):
    """The HTTP interface: where it listens, and how much of a sender it takes. Port 0: a free one."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    max_body_bytes: Count = 1048576
    events_per_s: Positive = 500
    burst: Count = 1000
    max_backlog: Count = 100000
    audited_refusals: Count = 10
    body_s: Positive = 30
    max_connections: Count = 512
    keep_alive_s: Count = 5
    stop_s: Count = 20


class Audit(Section):
    """No `checkpoint_file`: one in the state folder. No `verify_key_file`: the signing key's public half."""

    seal_every_s: Positive = 60
    checkpoint_file: Path | None = None
    signing_key_file: Path | None = None
    verify_key_file: Path | None = None
    masked: tuple[Annotated[str, Field(min_length=1)], ...] = ("phone_number", "gender")

    def masks(self, names: Collection[str]) -> bool:
        """Whether the list covers one of these names; `custom.*` covers all custom attributes."""
        return any(
            entry in names or (entry.endswith(".*") and any(name.startswith(entry[:-1]) for name in names))
            for entry in self.masked
        )


class Retention(Section):
    """How long rows are kept that nothing needs any more. `prune_every_hours` 0: by hand only."""

    events_days: Count = 30
    refused_bodies_days: Count = 7
    idempotency_hours: Count = 24
    runs_days: Count = 90
    decisions_days: Count = 365
    alarms_days: Count = 90
    audit_days: Count | None = None
    prune_every_hours: NotNegative = 24

    @field_validator("events_days")
    @classmethod
    def _covers_repeats(cls, days: int) -> int:
        if days < DUPLICATE_DAYS:
            raise ValueError(
                f"must be {DUPLICATE_DAYS} or more: for so long an event that comes again is known by its id"
            )
        return days


class People(Section):
    """What a person's dates mean. Days begin and end at midnight of `timezone`, an IANA name."""

    timezone: str = "UTC"
    end_date: Literal["leaver", "ignore"] = "leaver"
    start_date: Literal["wait", "ignore"] = "wait"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return known_zone(name)


class Logs(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


def _pattern(text: str | None) -> str | None:
    try:
        re.compile(text or "")
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


class Rows(Section):
    """How the rows of a source's files are read. `columns`: attribute, or a word about the row, to column."""

    columns: dict[RowWord, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8"
    empty: Literal["unsaid", "clear"] = "unsaid"
    yes: Annotated[tuple[str, ...], AfterValidator(_not_empty)] = ("true", "yes", "1")
    no: Annotated[tuple[str, ...], AfterValidator(_not_empty)] = ("false", "no", "0")
    date_format: Annotated[str, Field(min_length=1)] = "%Y-%m-%d"
    list_separator: Annotated[str, Field(min_length=1)] = ";"
    shrink_share: Annotated[float, Field(ge=0, le=1)] = 0.2


class Source(Section):
    """A sender of events. `uri` is its CloudEvents `source`; empty: the source's name (set on loading)."""

    uri: str = ""
    order: Literal["time", "integer", "lexical"] = "time"
    payload: Literal["delta", "snapshot"] = "delta"
    attributes: Annotated[tuple[Authority, ...], AfterValidator(_not_empty)]
    mapping: dict[Attribute, Expression] = Field(default_factory=dict)
    types: dict[str, EventType] = Field(default_factory=dict)
    ingest: bool = False
    report_gaps: bool = True
    rows: Rows = Rows()
    subjects: Annotated[str | None, AfterValidator(_pattern)] = None
    only_types: tuple[EventType, ...] = ()
    secrets: dict[Name, SigningSecret] = Field(default_factory=dict)
    keys: dict[Name, ApiKey] = Field(default_factory=dict)
    delivery: Delivery | None = None

    def owns(self, attribute: str) -> bool:
        """Whether this source is the authority for `attribute`."""
        return any(overlaps(entry, attribute) for entry in self.attributes)

    @model_validator(mode="after")
    def _maps_what_it_owns(self) -> Source:
        foreign = [name for name in self.mapping if not self.owns(name)]
        if foreign:
            raise ValueError(
                f"mapping names attributes that `attributes` does not list: {', '.join(foreign)}"
            )
        strange = [name for name in self.rows.columns if name not in ROW_WORDS and not self.owns(name)]
        if strange:
            raise ValueError(
                f"rows.columns names attributes that `attributes` does not list: {', '.join(strange)}"
            )
        return self


class Sidecar(Section):
    """A program started with the stack. `{port}` and `{python}` are filled in; `port` 0 is a free one.

    With a `target`, that target's base_url becomes `http://127.0.0.1:{port}{path}` while the stack runs.
    """

    command: Annotated[tuple[str, ...], AfterValidator(_not_empty)]
    target: Name | None = None
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    path: Annotated[str, Field(pattern=r"^(/[^\s?#]*)?$")] = ""


class Stack(Section):
    sidecars: dict[Name, Sidecar] = Field(default_factory=dict)
