"""Errors that commands tell their user as a sentence with the way out."""

from __future__ import annotations


class BrokerMissingError(RuntimeError):
    """There is no broker to talk to; the message says the way out."""
