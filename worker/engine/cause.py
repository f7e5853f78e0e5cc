"""What a request or a hold is done for: the events behind it, or the run that asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sdk.model import Json


@dataclass(frozen=True, slots=True)
class Cause:
    """`correlations` are those of the events behind it, the newest last; `run` asked for a read."""

    correlations: tuple[str, ...] = ()
    run: int | None = None

    @property
    def correlation(self) -> str | None:
        """One id for headers and logs: of the newest event, else of the run."""
        if self.correlations:
            return self.correlations[-1]
        return None if self.run is None else f"run-{self.run}"

    @property
    def facts(self) -> Mapping[str, Json]:
        """What each audit record says of it."""
        facts: dict[str, Json] = {}
        if self.correlation is not None:
            facts["correlation"] = self.correlation
        if len(self.correlations) > 1:
            facts["correlations"] = list(self.correlations)
        if self.run is not None:
            facts["run"] = self.run
        return facts
