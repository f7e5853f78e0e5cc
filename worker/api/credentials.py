"""Who sends: a source that shows an API key, or one that signs what it sends (Standard Webhooks).

Promises: a source without a secret and a key is closed; whatever is wrong, the answer is the same; nothing
that was sent is believed, or repeated, before the proof. A key is looked up by its digest, so how long that
takes tells nothing about it. Signatures cover the delivery's id, its time and the raw body, no other header.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.datastructures import Headers

from config.settings import ApiKey, SecretError, SigningSecret, Source
from worker.api.problems import ProblemError

log = structlog.get_logger(__name__)

DENIED = "these credentials open nothing here"
_CHALLENGE = 'Bearer realm="hirewire"'
_BEARER = re.compile(r"[Bb]earer +([!-~]+) *")
_SIGNATURE = re.compile(r"v1,[A-Za-z0-9+/]{43}=")  # all 32 bytes of it: a part of one proves nothing
_ID = re.compile(r"[!-~]{1,255}")
_STAMP = re.compile(r"[0-9]{1,12}")
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE_S = 300


class DeniedError(Exception):
    """No proof. `why`, and the configured `source` that was named, are for the audit, not for the answer."""

    def __init__(self, why: str, source: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.source = source


def denial() -> ProblemError:
    """The one answer to everybody who gives no proof."""
    return ProblemError(HTTPStatus.UNAUTHORIZED, DENIED, headers={"www-authenticate": _CHALLENGE})


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature would prove. The headers have their form, and a time that is ours."""

    source: str
    headers: Mapping[str, str]
    secrets: Mapping[str, SigningSecret]

    def verify(self, raw: bytes) -> None:
        """Raises DeniedError where no secret of now made the signature for exactly these bytes."""
        now = time.time()
        for name, secret in self.secrets.items():
            if secret.counts(now) and self._made_by(name, secret, raw):
                return
        raise DeniedError("signature", self.source)

    def _made_by(self, name: str, secret: SigningSecret, raw: bytes) -> bool:
        try:
            Webhook(secret.read()).verify(raw, dict(self.headers), json_parse=False)
        except SecretError as error:
            log.error("secret_unusable", source=self.source, secret=name, why=str(error))  # noqa: TRY400 - no defect
            return False
        except (WebhookVerificationError, ValueError):  # the latter: bytes that are no text
            return False
        return True


@dataclass(frozen=True, slots=True)
class Keyed:
    """Proven by its key."""

    source: str


class Credentials:
    """Of the configured sources."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._keys: dict[str, list[tuple[str, ApiKey]]] = {}
        for name, source in sources.items():
            for key in source.keys.values():
                self._keys.setdefault(key.sha256, []).append((name, key))

    def of(self, headers: Headers, named: str | None) -> Keyed | Signed:
        """What the headers say. `named` is the source that the address names. Raises DeniedError."""
        if "authorization" in headers:
            return self.keyed(headers, named)
        return self._signed(headers, named)

    def keyed(self, headers: Headers, named: str | None) -> Keyed:
        """By its key alone. Raises DeniedError."""
        found = _BEARER.fullmatch(_only(headers, "authorization") or "")
        if found is None:
            raise DeniedError("form", self._known(named))
        digest = hashlib.sha256(found[1].encode()).hexdigest()
        now = time.time()
        for source, key in self._keys.get(digest, ()):
            if key.counts(now) and named in (None, source):
                return Keyed(source)
        raise DeniedError("key", self._known(named))

    def _signed(self, headers: Headers, named: str | None) -> Signed:
        source = self._sources.get(named or "")
        if named is None or source is None or not source.secrets:
            raise DeniedError("closed" if source else "source", self._known(named))
        identifier, stamp, signatures = (_only(headers, name) or "" for name in _SIGNED)
        whole = [one for one in signatures.split(" ") if _SIGNATURE.fullmatch(one)]
        if not _ID.fullmatch(identifier) or not _STAMP.fullmatch(stamp) or not whole:
            raise DeniedError("form", named)
        if abs(time.time() - int(stamp)) > TOLERANCE_S:
            raise DeniedError("time", named)
        said = dict(zip(_SIGNED, (identifier, stamp, " ".join(whole)), strict=True))
        return Signed(named, said, source.secrets)

    def _known(self, named: str | None) -> str | None:
        return named if named in self._sources else None


def _only(headers: Headers, name: str) -> str | None:
    """Of a header that is said once; twice is as good as wrong."""
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else None
