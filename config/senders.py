"""How a source shows who it is over HTTP, and how its own payloads become events.

Nothing configured here: the source is closed for HTTP. A secret or key that has an end is for rotation: the
new one is added before the sender changes over, the old one ends after that.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from pathlib import Path
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from config.expressions import Expression
from config.secrets import SecretError, read_secret

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what a secret begins with
_LEAST_BYTES = 24  # of Standard Webhooks


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Dated(_Part):
    """From `not_before` until `not_after`; None: no such end."""

    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None

    def counts(self, now: float) -> bool:
        """Whether it counts at this moment, seconds since the epoch."""
        return _at(self.not_before, now) <= now <= _at(self.not_after, now)

    @model_validator(mode="after")
    def _ends_after_its_beginning(self) -> Dated:
        if self.not_before and self.not_after and self.not_before >= self.not_after:
            raise ValueError("not_before must be earlier than not_after")
        return self


def _at(moment: dt.datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()


def _checked(text: str) -> str:
    """A Standard Webhooks secret: 24 bytes or more in base64, behind whsec_."""
    if not text.startswith(SECRET_PREFIX):
        raise SecretError(f"must begin with {SECRET_PREFIX}")
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise SecretError(f"must be base64 behind {SECRET_PREFIX}") from None
    if len(secret) < _LEAST_BYTES:
        raise SecretError(f"must have {_LEAST_BYTES} bytes or more")
    return text


class SigningSecret(Dated):
    """Exactly one of `secret` and `secret_file`. The sender signs with it (Standard Webhooks)."""

    secret: SecretStr | None = None
    secret_file: Path | None = None

    @field_validator("secret")
    @classmethod
    def _usable(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            _checked(secret.get_secret_value())
        return secret

    @field_validator("secret_file")
    @classmethod
    def _usable_file(cls, path: Path | None) -> Path | None:
        if path is not None:
            _checked(read_secret(path))
        return path

    @model_validator(mode="after")
    def _one_of_them(self) -> SigningSecret:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("needs exactly one of secret and secret_file")
        return self

    def read(self) -> str:
        """The secret as it is now. Raises `SecretError`."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return _checked(read_secret(self.secret_file)) if self.secret_file else ""


class ApiKey(Dated):
    """A key that the sender shows; only its SHA-256 is kept. `hirewire source key` makes one."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Delivery(_Part):
    """From a vendor's payload to events, JMESPath over `{payload, item, delivery}`.

    `item` is each entry of the list that `each` finds in the payload, without it the payload itself.
    `delivery` has the `id` of the delivery and the `number` of the item in it. `id` None: derived from the
    delivery's id, or else from subject, change time and content.
    """

    each: Expression | None = None
    id: Expression | None = None
    type: Expression
    subject: Expression
    time: Expression
    sequence: Expression | None = None
    data: Expression = "item"
