"""What runs can be asked for, as bodies of a request."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from connectors.sdk.model import Json
from worker.api.operator.params import Body, Names, Reason, Text, seconds
from worker.engine.choosing import WHERE, check_selection
from worker.engine.reconciling import Policy
from worker.engine.replaying import Chosen


class Resync(Body):
    """Accounts to read again: of these people, at these targets, and so on; or, said so, all there are."""

    kind: Literal["resync"]
    subjects: Names | None = None
    targets: Names | None = None
    where: Text | None = Field(None, description="JMESPath over the person's attributes.")
    held: bool = Field(default=False, description="Only accounts with a held field.")
    everything: bool = False
    why: Reason

    @model_validator(mode="after")
    def _says_which(self) -> Resync:
        if self.everything == bool(self.selection):
            raise ValueError("name subjects, targets, where or held, or say everything, not both")
        try:
            check_selection(self.selection)
        except RecursionError:
            raise ValueError("where: is nested too deeply") from None
        return self

    @property
    def selection(self) -> dict[str, Json]:
        named: dict[str, Json] = {}
        for name, chosen in (("subjects", self.subjects), ("targets", self.targets)):
            if chosen is not None:
                named[name] = [*chosen]
        if self.where is not None:
            named[WHERE] = self.where
        return named | ({"held": True} if self.held else {})


class Reconcile(Body):
    """All that a target lists, compared with what HR says. No policy: the one of the configuration."""

    kind: Literal["reconcile"]
    target: Text
    policy: Policy | None = None
    why: Reason


class Enrol(Body):
    """Whose the accounts of a target are; what is proposed is held until somebody approves it."""

    kind: Literal["enrol"]
    target: Text
    why: Reason


class Replay(Body):
    """Events again at one target: whoever they spoke of is looked at there, in the newest state."""

    kind: Literal["replay"]
    target: Text
    subjects: Names | None = None
    sources: Names | None = None
    since: dt.datetime | None = Field(None, description="RFC 3339: events that were accepted since then.")
    why: Reason

    @property
    def chosen(self) -> Chosen:
        at = None if self.since is None else seconds(self.since)
        return Chosen(self.target, tuple(self.subjects or ()), tuple(self.sources or ()), at)


AskedRun: TypeAlias = Resync | Reconcile | Enrol | Replay
Asking: TypeAlias = Annotated[AskedRun, Field(discriminator="kind")]
