"""One configured remote account system: where it is, who we are there, what we own and what we may do.

What only a connector knows (its style, its fields) is not judged here: the worker's bootstrap does.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator, Field, JsonValue, SecretStr, field_validator, model_validator

from config.expressions import AttributeExpression, MappingExpression
from config.secrets import read_secret
from config.sections import NotNegative, Positive, Section, known_zone

FieldName = Annotated[str, Field(min_length=1)]


class Credential(Section):
    """Exactly one of `secret` and `secret_file`; the file is checked when the configuration is loaded."""

    scheme: Literal["bearer", "token", "basic"]
    secret: SecretStr | None = None
    secret_file: Path | None = None
    username: str | None = None

    @field_validator("secret")
    @classmethod
    def _one_line(cls, secret: SecretStr | None) -> SecretStr | None:
        text = "x" if secret is None else secret.get_secret_value()
        if not text.strip() or len(text.splitlines()) > 1:
            raise ValueError("must be one line that is not empty")
        return secret

    @field_validator("secret_file")
    @classmethod
    def _usable(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_secret(path)
        return path

    @model_validator(mode="after")
    def _complete(self) -> Credential:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("needs exactly one of secret and secret_file")
        if self.scheme == "basic" and not self.username:
            raise ValueError("scheme basic needs a username")
        return self

    def read(self) -> str:
        """The secret as it is now. Raises `SecretError`."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return read_secret(self.secret_file) if self.secret_file else ""


class Protected(Section):
    """Accounts that nothing here may deactivate, demote or delete."""

    usernames: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


class Timeouts(Section):
    """Seconds. `deadline_s` bounds one whole exchange."""

    connect_s: Positive = 3
    read_s: Positive = 10
    deadline_s: Positive = 20

    @model_validator(mode="after")
    def _deadline_is_last(self) -> Timeouts:
        if self.deadline_s < max(self.connect_s, self.read_s):
            raise ValueError("deadline_s must not be below connect_s or read_s")
        return self


class Reconcile(Section):
    """When the target is compared with HR as a whole. No `schedule`: when an operator asks for it."""

    schedule: str | None = None
    timezone: str = "UTC"
    jitter_s: NotNegative = 300
    policy: Literal["report", "repair"] = "report"
    least_seen: Annotated[float, Field(gt=0, le=1)] = 0.8

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, text: str | None) -> str | None:
        try:
            if text is not None:
                CronSim(text, dt.datetime.fromtimestamp(0, dt.UTC))
        except CronSimError:
            raise ValueError('is not a cron expression of five fields, like "30 2 * * *"') from None
        return text

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return known_zone(name)


def _ca_bundle(value: object) -> object:
    """True, or the path of a CA bundle. The environment says it in words; a word is never a path here."""
    word = value.strip().lower() if isinstance(value, str) else value
    if word in (True, "true", "1", "yes", "on"):
        return True
    if word in (False, "false", "0", "no", "off", ""):
        raise ValueError(
            "cannot be switched off: whoever answers in the target's place would get our token and say "
            "what he likes; give the path of the CA bundle that signed the target's certificate"
        )
    if not isinstance(value, str | Path) or not Path(value).exists():
        raise ValueError("must be true or the path of a CA bundle that exists")
    return Path(value)


class Target(Section):
    """`base_url` may be empty only where a sidecar serves the target; `leaver` None: the connector's own."""

    connector: Annotated[str, Field(min_length=1)]
    base_url: str = ""
    credential: Credential
    mapping: dict[FieldName, MappingExpression] = Field(default_factory=dict)
    correlation: FieldName | None = None
    scope: AttributeExpression | None = None
    on_leave_scope: Literal["nothing", "hold", "leaver"] = "hold"
    mode: Literal["observe", "enforce"] = "observe"
    max_in_flight: Annotated[int, Field(ge=1, le=256)] = 4
    rate_per_s: Positive | None = None
    privileged: dict[FieldName, Literal["deny", "approve", "allow"]] = Field(default_factory=dict)
    managed: dict[FieldName, tuple[str, ...]] = Field(default_factory=dict)
    protected: Protected = Protected()
    leaver: Literal["deactivate", "hold", "demote", "delete"] | None = None
    on_missing: Literal["hold", "create", "ignore"] = "hold"
    always_send: tuple[FieldName, ...] = ()
    timeouts: Timeouts = Timeouts()
    reconcile: Reconcile = Reconcile()
    tls_verify: Annotated[Literal[True] | Path, BeforeValidator(_ca_bundle)] = True
    options: dict[str, JsonValue] = Field(default_factory=dict)

    def read_secret(self) -> str:
        """The target's secret as it is now, read from its file each time. Raises `SecretError`."""
        return self.credential.read()

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return _checked_url(url).rstrip("/") if url else url


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("must be http://HOST or https://HOST, with a port and a path where needed")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user name or password: they belong into credential")
    if parts.query or parts.fragment or any(character.isspace() for character in url):
        raise ValueError("must have no query, fragment or white space")
    _refuse_open_http(parts)
    return url


def _refuse_open_http(parts: SplitResult) -> None:
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(
            "must be https: plain http shows our token to the network (allowed for loopback only)"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
