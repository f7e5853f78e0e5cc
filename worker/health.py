"""`python -m worker.health`: whether a program with this environment can reach its database and its broker.

For health checks of containers. Writes nothing and asks no target: a target that is down pauses that target,
and a worker started anew would not help. Whether work gets done is told by `hirewire status`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from config.settings import ConfigurationError, Settings, load
from worker.broker import redis_client
from worker.databases import open_reader
from worker.problems import BrokerMissingError
from worker.storage.head import is_current

_UNHEALTHY = 1  # the one code of failure that container engines define


def main() -> int:
    """0 where both answer and the tables are of this version; else 1, and the reasons on standard error."""
    try:
        settings = load()
    except ConfigurationError as error:
        found = list(error.problems)
    else:
        found = [*_database(settings), *_broker(settings)]
    for problem in found:
        sys.stderr.write(f"unhealthy: {problem}\n")
    return _UNHEALTHY if found else 0


def _database(settings: Settings) -> Iterator[str]:
    engine = open_reader(settings)
    try:
        if not is_current(engine):
            yield "the database is not at this version's tables"
    except OperationalError as error:
        yield f"the database does not answer ({type(error.orig).__name__})"
    finally:
        engine.dispose()


def _broker(settings: Settings) -> Iterator[str]:
    try:
        with redis_client(settings) as client:
            client.ping()
    except (BrokerMissingError, RedisError) as error:
        yield f"the broker does not answer ({type(error).__name__})"


if __name__ == "__main__":
    sys.exit(main())
