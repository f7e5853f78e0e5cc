"""Ed25519 keys for checkpoints: made, read from PEM text, used. Never shows a private key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_PUBLIC = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_NAME_DIGITS = 16


class SigningKeyError(ValueError):
    """A key that cannot be used. The message says why, never what was read."""


@dataclass(frozen=True, slots=True)
class Signer:
    """`name` is the first digits of the public key's SHA-256."""

    name: str
    _key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> Ed25519PublicKey:
        return self._key.public_key()

    def sign(self, data: bytes) -> str:
        return base64.b64encode(self._key.sign(data)).decode()


@dataclass(frozen=True, slots=True)
class Keys:
    """`signer` None: nothing is signed. `trusted` is empty: nothing can be checked."""

    signer: Signer | None = None
    trusted: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)


def new_key() -> tuple[str, str]:
    """A private key and its public half, as PEM text."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, public_text(key.public_key())


def public_text(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:_NAME_DIGITS]


def read_signer(pem: str) -> Signer:
    """Raises SigningKeyError."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningKeyError("holds no private key in PEM without a passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError("holds another kind of key than Ed25519")
    return Signer(key_name(key.public_key()), key)


def read_public(pem: str) -> dict[str, Ed25519PublicKey]:
    """Every public key of the text by its name. Raises SigningKeyError."""
    found = [_public(text) for text in _PUBLIC.findall(pem)]
    if not found:
        raise SigningKeyError("holds no public key in PEM")
    return {key_name(key): key for key in found}


def _public(pem: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyError("holds something that is no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyError("holds another kind of key than Ed25519")
    return key


def is_signed(key: Ed25519PublicKey, signature: str, data: bytes) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), data)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
