"""The whole configuration as one frozen tree, and the one way to load it.

Layers, the later ones win: defaults, the TOML file, `HIREWIRE_…__…` variables. `load` reports every problem
at once and never a secret. Building `Settings` directly reads no file and no environment; it checks each
section, but not the rules between sections.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.checks import Parts, cross_problems
from config.environment import CONFIG_VARIABLE, Environment, unknown_variables
from config.layers import absolute, from_toml, merged
from config.names import Name
from config.problems import ConfigurationError, worded
from config.secrets import SecretError
from config.sections import (
    Api,
    Audit,
    Broker,
    Database,
    Engine,
    Intake,
    Logs,
    People,
    Retention,
    Sidecar,
    Source,
    Stack,
)
from config.senders import SECRET_PREFIX, ApiKey, Delivery, SigningSecret
from config.targets import Credential, Protected, Reconcile, Target, Timeouts

__all__ = [
    "SECRET_PREFIX",
    "Api",
    "ApiKey",
    "Audit",
    "Broker",
    "ConfigurationError",
    "Credential",
    "Database",
    "Delivery",
    "Engine",
    "Intake",
    "Logs",
    "People",
    "Protected",
    "Reconcile",
    "Retention",
    "SecretError",
    "Settings",
    "Sidecar",
    "SigningSecret",
    "Source",
    "Stack",
    "Target",
    "Timeouts",
    "load",
]

DEFAULT_FILE = "hirewire.toml"

_Part = TypeVar("_Part", bound=BaseModel)


class Settings(BaseSettings):
    """Everything an operator can say. Paths are absolute once loaded."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    state_dir: Path = Path("var")
    database: Database = Database()
    broker: Broker = Broker()
    engine: Engine = Engine()
    intake: Intake = Intake()
    api: Api = Api()
    people: People = People()
    audit: Audit = Audit()
    retention: Retention = Retention()
    logs: Logs = Logs()
    sources: dict[Name, Source] = Field(default_factory=dict)
    targets: dict[Name, Target] = Field(default_factory=dict)
    stack: Stack = Stack()

    @property
    def ingest_enabled_sources(self) -> frozenset[str]:
        """Names of the sources that may publish straight to the broker, outside the no-loss promise."""
        return frozenset(name for name, source in self.sources.items() if source.ingest)

    @field_validator("sources")
    @classmethod
    def _uri_is_the_name(cls, sources: dict[str, Source]) -> dict[str, Source]:
        return {
            name: source if source.uri else source.model_copy(update={"uri": name})
            for name, source in sources.items()
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: the layers are put together by `load`."""
        return (init_settings,)


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, merge and check the configuration. Raises `ConfigurationError` with every problem.

    The file is `path`, else HIREWIRE_CONFIG, else ./hirewire.toml where there is one. Relative paths count
    from the file's folder, those in variables from the working folder.
    """
    file = _file(path, environ)
    strays = dict(unknown_variables(Settings, environ))
    known = {name: value for name, value in environ.items() if name not in strays}
    from_file = absolute({"state_dir": "var", **from_toml(file)}, file.parent if file else Path.cwd())
    raw = merged(from_file, absolute(Environment(Settings, known)(), Path.cwd()))
    settings, problems = _validated(raw)
    problems = [*strays.values(), *problems, *cross_problems(_parts(raw))]
    if settings is None or problems:
        raise ConfigurationError(problems)
    return settings


def _file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        return named.absolute()
    default = Path(DEFAULT_FILE).absolute()
    return default if default.exists() else None


def _validated(raw: dict[str, Any]) -> tuple[Settings | None, list[str]]:
    try:
        return Settings(**raw), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        return None, [worded(detail, Settings) for detail in details]


def _parts(raw: dict[str, Any]) -> Parts:
    targets = _table(raw, "targets")
    return Parts(
        engine=_part(Engine, raw.get("engine", {})),
        broker=_part(Broker, raw.get("broker", {})),
        sources=_valid(Source, _table(raw, "sources")),
        targets=_valid(Target, targets),
        sidecars=_valid(Sidecar, _table(_table(raw, "stack"), "sidecars")),
        target_names=frozenset(targets),
    )


def _table(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _valid(model: type[_Part], table: dict[str, Any]) -> dict[str, _Part]:
    found = {name: _part(model, value) for name, value in table.items()}
    return {name: part for name, part in found.items() if part is not None}


def _part(model: type[_Part], value: object) -> _Part | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
