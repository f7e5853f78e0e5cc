"""What the engine refuses, in words for whoever asked. Light on purpose: every command imports it."""

from __future__ import annotations


class BusyError(Exception):
    """The database asks for the transaction once more: a deadlock, or a lock that did not come in time."""


class NotAllowedError(Exception):
    """Who asked may not do that; the message says the way out."""


class UnknownTokenError(NotAllowedError):
    """Nobody acts with this token: it is unknown, revoked or expired."""
