"""The field table of a style by name, where a row `attributes.*` answers for every key below it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.sdk.contract import Descriptor
from connectors.sdk.fields import Field


class FieldTable(Mapping[str, Field]):
    """Iterates over the rows as declared; `table["attributes.badge"]` is a row of its own."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._rows = {field.name: field for field in descriptor.fields}

    def __getitem__(self, name: str) -> Field:
        field = self._rows.get(name) or self._descriptor.field(name)
        if field is None:
            raise KeyError(name)
        return field

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
