"""`HIREWIRE_…__…` variables as a layer of the configuration. Reads the mapping it is given, nothing else.

pydantic-settings passes over a variable whose first part it does not know (`HIREWIRE_DATABSE__URL`)
and over parts below a single value; `unknown_variables` finds both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings.sources.utils import parse_env_vars

from config.names import did_you_mean
from config.problems import UnknownKeyError, walk

PREFIX: Final = "HIREWIRE_"
DELIMITER: Final = "__"
CONFIG_VARIABLE: Final = "HIREWIRE_CONFIG"
"""Where the file is; no option."""

TOKEN_VARIABLE: Final = "HIREWIRE_OPERATOR_TOKEN"  # noqa: S105 - a name
"""Who acts at the command line; no option: it belongs to a person, not to the installation."""


class Environment(EnvSettingsSource):
    """The variables of a given mapping. Text that is not JSON where JSON is due is left to the validation."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(settings, env_prefix=PREFIX, env_nested_delimiter=DELIMITER, env_ignore_empty=False)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return parse_env_vars(
            self._environ, self.case_sensitive, self.env_ignore_empty, self.env_parse_none_str
        )

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401 - inherited
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def unknown_variables(settings: type[BaseSettings], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(variable, problem) for each `HIREWIRE_` variable that addresses nothing in the tree."""
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX) or variable in (CONFIG_VARIABLE, TOKEN_VARIABLE):
            continue
        path = variable[len(PREFIX) :].lower().split(DELIMITER)
        try:
            walk(settings, path)
        except UnknownKeyError as error:
            yield variable, f"{variable}: unknown variable{_suggested(path, error)}"


def _suggested(path: list[str], error: UnknownKeyError) -> str:
    before = [*path[: path.index(error.key)]]
    place = DELIMITER.join([PREFIX + before[0], *before[1:], ""]) if before else PREFIX
    return did_you_mean((place + error.key).upper(), tuple((place + name).upper() for name in error.known))
