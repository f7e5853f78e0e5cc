"""Where a style's JSON differs from its field table: translated on the way in and on the way out.

The engine sees the names and values of the fields only; a dialect turns an answer's own shape into them
and wanted values into what the API takes. Never raises, sends nothing. Safe from many threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from connectors.sdk.model import Json, Record


class Dialect(Protocol):
    def shown(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        """An account as the target shows it, with the fields' names and values."""

    def sent(self, values: Record) -> tuple[dict[str, Json], dict[str, str]]:
        """Encoded values as the API takes them, and the message for each that cannot be said."""


class Plain:
    """The fields are the API's own keys and values."""

    def shown(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        return body

    def sent(self, values: Record) -> tuple[dict[str, Json], dict[str, str]]:
        return dict(values), {}


PLAIN: Final = Plain()
