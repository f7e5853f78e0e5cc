"""Requests that are made twice: to be shown what would be done, and then to have just that done."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from worker.api.operator.params import Why

Hash = Annotated[
    str, Field(min_length=8, max_length=64, pattern="^[0-9a-f]+$", description="As shown, or its beginning.")
]


class Shown(Why):
    """With `dry_run` nothing is done, and the answer has a `hash`; with that hash it is done."""

    dry_run: bool = False
    hash: Hash | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Shown:
        if self.dry_run == (self.hash is not None):
            raise ValueError("say dry_run first, and then give the hash that it answers")
        return self
