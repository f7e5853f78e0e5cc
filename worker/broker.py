"""Where the broker is, and a plain client for it. Light on purpose: no Celery."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import Settings
from worker.problems import BrokerMissingError

_SOCKET = "redis+socket://"


def broker_url(settings: Settings) -> str:
    if settings.broker.url is None:
        raise BrokerMissingError(
            "broker.url is not set and no stack runs on the state folder: start `hirewire up` "
            "(or `make run`), or set broker.url"
        )
    return settings.broker.url.get_secret_value()


def redis_client(settings: Settings) -> Redis:
    """A client with short timeouts that never tries again: signals are hints and must not hold anybody up."""
    url = broker_url(settings).replace(_SOCKET, "unix://", 1)
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=once)
