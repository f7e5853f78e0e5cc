"""The `Authorization` header of a credential, and keeping it out of everything else. No I/O of its own."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from connectors.sdk.contract import Credential, CredentialSource

HIDDEN = b"<hidden>"
_PREFIXES = {"bearer": "Bearer", "token": "Token"}


class CredentialError(Exception):
    """The credential cannot be read or cannot be sent. The message never holds any of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Authorization:
    """One header value, and the texts that must never be seen in anything a target echoes."""

    header: str
    secrets: tuple[bytes, ...]
    username: str | None = None  # whose password it is; None for a token

    def __repr__(self) -> str:
        return "Authorization(<hidden>)"

    def hidden_in(self, body: bytes) -> bytes:
        for secret in self.secrets:
            body = body.replace(secret, HIDDEN)
        return body


def read_authorization(source: CredentialSource) -> Authorization:
    """Ask the source now. Raises `CredentialError`."""
    try:
        credential = source()
    except Exception as error:  # noqa: BLE001  # whatever the source is made of, nothing may be raised
        raise CredentialError(f"the credential cannot be read ({type(error).__name__})") from None
    return _authorization(credential)


def _authorization(credential: Credential) -> Authorization:
    secret = credential.secret.strip()
    if not secret:
        raise CredentialError("the credential is empty")
    if credential.scheme == "basic":
        return _basic(credential.username or "", secret)
    prefix = _PREFIXES.get(credential.scheme)
    if prefix is None:
        raise CredentialError("the credential's scheme is none of bearer, token, basic")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise CredentialError("the token holds characters that no HTTP header can carry")
    return Authorization(f"{prefix} {secret}", (secret.encode(),))


def _basic(username: str, secret: str) -> Authorization:
    """RFC 7617 in UTF-8; a colon in the user name would move the border to the password."""
    if not username or ":" in username:
        raise CredentialError("basic authentication needs a username without a colon")
    pair = base64.b64encode(f"{username}:{secret}".encode()).decode()
    return Authorization(f"Basic {pair}", (pair.encode(), secret.encode()), username)
