"""What the author of a connector brings: a server that behaves as the real one was observed to behave.

It needs no faults of its own (the tap has them) and no order of calls: `reset` comes before anything else
and again at any time. One thread at a time calls these methods; its HTTP side is called by several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import ClassVar, Self

from connectors.sdk.contract import Credential
from connectors.sdk.model import Json, Record

NONE: Mapping[str, Json] = MappingProxyType({})
NO_SAMPLES: Mapping[str, Sequence[Json]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Account:
    """One person to hold: `values` are encoded, by field name, and `key` is what the kit calls them."""

    key: str
    values: Record


class ReferenceServer(ABC):
    """Entered once, before anything else is asked of it, and left at the end of the test run."""

    options: ClassVar[Mapping[str, Json]] = NONE
    """What `ConnectorConfig.options` must hold for this server."""

    samples: ClassVar[Mapping[str, Sequence[Json]]] = NO_SAMPLES
    """Field name -> at least two valid values, where none can be invented: names of groups, addresses."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; where there is nothing to stop, nothing."""
        del kind, error, trace

    @property
    @abstractmethod
    def base_url(self) -> str:
        """Where it listens, as `ConnectorConfig.base_url` has it: plain HTTP on this machine."""

    @abstractmethod
    def credential(self) -> Credential:
        """A credential that may do everything the connector needs."""

    @abstractmethod
    def reset(self, accounts: Sequence[Account]) -> Mapping[str, str]:
        """Hold exactly these accounts and the owner of our credential; key -> remote id.

        Where the style is `owner_only`, the one account is the owner. Accounts should have something that
        no field names, if the API has any: that it survives is what the kit looks for. Listings should have
        pages of two or three accounts, if the API lets them be so small: the kit holds eight at most.
        """

    @abstractmethod
    def rows(self) -> Mapping[str, Mapping[str, Json]]:
        """Remote id -> all that is stored: fields of the style by name and value as `decode` shows them,
        everything else under whatever name it has, but for what moves by itself with any write. Read from
        the store, never through the API.
        """

    def refusal(self, messages: Mapping[str, str]) -> Json:
        """The body with which this API refuses these fields: name -> message. DRF's, unless overridden."""
        return {name: [message] for name, message in messages.items()}
