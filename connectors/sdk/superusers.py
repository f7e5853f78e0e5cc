"""Whether another superuser is left: asked before one is taken away. Reads only, and never for long.

What a server's filter answers is looked at again here, so that a filter it ignores proves nothing. Where
nobody was found until the time was over, the answer is *nobody*: the caller then keeps the one there is.
"""

from __future__ import annotations

import time

from connectors.sdk.contract import Connector, Descriptor
from connectors.sdk.model import Found, Match, OutcomeKind, Record


def another_superuser(connector: Connector, but: str, limit_s: float) -> Found:
    """One active superuser other than `but`, if there is one; at most about `limit_s` seconds."""
    until = time.monotonic() + limit_s
    cursor: str | None = None
    while True:
        page = connector.superusers(cursor)
        if page.outcome.kind is not OutcomeKind.OBSERVED:
            return Found(page.outcome)
        for remote_id, record in page.records:
            if remote_id != but and _is_one(record, connector.descriptor):
                return Found(page.outcome, (Match(remote_id, record, ()),))
        cursor = page.cursor
        if cursor is None or time.monotonic() > until:
            return Found(page.outcome)


def _is_one(record: Record, descriptor: Descriptor) -> bool:
    if descriptor.superuser_field is None or record.get(descriptor.superuser_field) is not True:
        return False
    return descriptor.active_field is None or record.get(descriptor.active_field) is True
