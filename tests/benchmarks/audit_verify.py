"""How fast the audit verifies: fills a database with records and prints rows a second of verify and export.

Run it as `python -m tests.benchmarks.audit_verify URL [ROWS]` on an empty database of your own; the last line
is one JSON object. The issue asks for a million rows within 60 s.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.strict_json import canonical
from worker.storage import tables
from worker.storage.audit import GENESIS, chained, stamp
from worker.storage.checkpoints import Head
from worker.storage.database import reader, writer
from worker.storage.export import as_jsonl, extent
from worker.storage.migrate import upgrade
from worker.storage.verify import in_short_reads, verify

STREAMS = ("intake", "target:authentik", "target:awx_prod", "target:django_admin")
_BATCH = 10_000
_NOW = 1_790_000_000.0


def record(stream: str, seq: int, prev: str) -> dict[str, Any]:
    """As an intent looks."""
    at, identity = _NOW + seq // 100 * 0.01, seq % 50_000
    changes: Json = {
        "last_name": {"before": f"Berg{seq}", "after": f"Lind{seq}", "event": f"ev-{seq}"},
        "title": {"before": None, "after": "Engineer", "event": f"ev-{seq}"},
    }
    body: dict[str, Json] = {
        "at": stamp(at),
        "stream": stream,
        "seq": seq,
        "action": "account:patch:applied",
        "actor": "hirewire",
        "identity": identity,
        "latency_s": 0.123456,
        "request": f"{seq:032x}",
        "target": stream,
        "account": identity,
        "revisions": [3, 4],
        "method": "PATCH",
        "path": f"/api/v2/users/{identity}/",
        "changes": changes,
    }
    text = canonical(body)
    columns: dict[str, Any] = {
        "stream": stream,
        "seq": seq,
        "at": at,
        "action": "account:patch:applied",
        "identity_id": identity,
        "latency_s": 0.123456,
    }
    return {**columns, "text": text, "prev_hash": prev, "hash": chained(prev, text)}


def chain(stream: str, size: int) -> Iterator[dict[str, Any]]:
    prev = GENESIS
    for seq in range(1, size + 1):
        row = record(stream, seq, prev)
        prev = row["hash"]
        yield row


def fill(engine: sa.Engine, size: int) -> dict[str, Head]:
    """The same number of records in each stream; their heads."""
    heads = {}
    for stream in STREAMS:
        rows: list[dict[str, Any]] = []
        for row in chain(stream, size // len(STREAMS)):
            rows.append(row)
            if len(rows) == _BATCH:
                _insert(engine, rows)
                rows = []
        heads[stream] = Head(row["seq"], row["hash"])
        _insert(engine, rows)
        with engine.begin() as connection:
            head = {"stream": stream, "seq": row["seq"], "hash": row["hash"]}
            connection.execute(sa.insert(tables.audit_head), [head])
    return heads


def _insert(engine: sa.Engine, rows: list[dict[str, Any]]) -> None:
    if rows:
        with engine.begin() as connection:
            connection.execute(sa.insert(tables.audit), rows)


def main(url: str, size: int) -> dict[str, Json]:
    upgrade(writer(url))
    heads = fill(writer(url), size)
    ask = in_short_reads(reader(url))
    start = time.monotonic()
    found = verify(ask, heads)
    verified_s = time.monotonic() - start
    start = time.monotonic()
    exported = sum(1 for _ in as_jsonl(ask, extent(ask, None, None), None, _NOW)) - 1
    exported_s = time.monotonic() - start
    return {
        "database": sa.make_url(url).get_backend_name(),
        "rows": found.records,
        "breaks": len(found.breaks),
        "verify_s": round(verified_s, 2),
        "verify_rows_per_s": round(found.records / verified_s),
        "export_rows_per_s": round(exported / exported_s),
        "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    sys.stdout.write(json.dumps(main(sys.argv[1], rows)) + "\n")
