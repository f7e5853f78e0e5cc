"""The layers a configuration is put together from, before anything is judged. Never quotes a value."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Final

from config.problems import ConfigurationError

_WORDS: Final = frozenset({"", "true", "false", "1", "0", "yes", "no", "on", "off"})
_SQLITE: Final = "sqlite:///"


def from_toml(file: Path | None) -> dict[str, Any]:
    """The tables of the file; empty without one. Raises `ConfigurationError` with the place of a mistake."""
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{file}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{file}: is not TOML: {_position(error)}"]) from None


def _position(error: ValueError) -> str:
    """Where the parser stopped; its own words can quote the text, which may be a secret."""
    _, found, place = str(error).rpartition("(at ")
    return f"look at {place.removesuffix(')')}" if found else "it is not UTF-8 text"


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged, anything else in `above` replaces what is `below`."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def absolute(layer: dict[str, Any], base: Path) -> dict[str, Any]:
    """The layer with its relative paths made absolute, so that every process means the same files."""
    _anchor(layer, "state_dir", base)
    _anchor_sqlite(layer.get("database"), base)
    _anchor(layer.get("database"), "url_file", base)
    _anchor(layer.get("broker"), "url_file", base)
    for key in ("checkpoint_file", "signing_key_file", "verify_key_file"):
        _anchor(layer.get("audit"), key, base)
    sources = layer.get("sources")
    for source in sources.values() if isinstance(sources, dict) else ():
        secrets = source.get("secrets") if isinstance(source, dict) else None
        for secret in secrets.values() if isinstance(secrets, dict) else ():
            _anchor(secret, "secret_file", base)
    targets = layer.get("targets")
    for target in targets.values() if isinstance(targets, dict) else ():
        if isinstance(target, dict):
            _anchor(target.get("credential"), "secret_file", base)
            _anchor(target, "tls_verify", base)
            _anchor_folders(target.get("options"), base)
    return layer


def _anchor(section: object, key: str, base: Path) -> None:
    value = section.get(key) if isinstance(section, dict) else None
    if isinstance(section, dict) and isinstance(value, str) and value.lower() not in _WORDS:
        section[key] = os.path.normpath(base / Path(value).expanduser())


def _anchor_folders(options: object, base: Path) -> None:
    """A style's own options: those that name a folder end in `_folder`."""
    for key in options if isinstance(options, dict) else ():
        if key.endswith("_folder"):
            _anchor(options, key, base)


def _anchor_sqlite(section: object, base: Path) -> None:
    url = section.get("url") if isinstance(section, dict) else None
    if (
        isinstance(section, dict)
        and isinstance(url, str)
        and url.startswith(_SQLITE)
        and ":memory:" not in url
    ):
        section["url"] = _SQLITE + str(base / url.removeprefix(_SQLITE))
