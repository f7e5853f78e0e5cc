"""Base URLs and what lies below them. Pure."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import requests

_DEFAULT_PORTS = {"http": 80, "https": 443}


class ForeignOriginError(ValueError):
    """A listing's `next` leads elsewhere: another server must not see our credential."""


def base_of(url: str) -> str:
    """The URL as it is sent, without a slash at the end. Raises `ValueError` saying what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("base_url must start with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url must hold no user name or password; they belong into the credential")
    if parts.query or parts.fragment:
        raise ValueError("base_url must hold no query and no fragment")
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return str(prepared.url).rstrip("/")


def root_of(url: str) -> str:
    """Scheme, host and port only."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def below(base: str, at: str, link: str) -> str:
    """The path and query below `base` that `link`, found on the page `at`, leads to.

    `at` is a path from the root. Raises `ForeignOriginError` for another origin or a path outside of `base`.
    """
    url = urlsplit(urljoin(root_of(base) + at, link))
    prefix = urlsplit(base).path
    try:
        home = _origin(url.geturl()) == _origin(base)
    except ValueError:  # a port that is no number
        home = False
    if not home or not url.path.startswith(f"{prefix}/") or "/../" in url.path:
        raise ForeignOriginError(
            f"the next page is said to be at {url.scheme}://{url.netloc}, not below {base}"
        )
    return url.path[len(prefix) :] + (f"?{url.query}" if url.query else "")


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)
