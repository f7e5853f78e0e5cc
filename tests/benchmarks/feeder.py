"""Sends events, in a process of its own: `python -m tests.benchmarks.feeder PEOPLE DOOR …`.

DOOR is `intake CONFIG`, `http PORT KEY` or `naive`. Each line of its input is one JSON object, a job; the
answer is one line with what it took. Event n is about person n // each; every event says something new.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks.doors import Change, Door, HttpDoor, IntakeDoor, NaiveDoor
from tests.benchmarks.measures import percentile

_TICK_S = 0.01


class Feeder:
    """Jobs at one door, about so many people in turn."""

    def __init__(self, door: Door, people: int) -> None:
        self._door = door
        self._people = people
        self._prefix = uuid.uuid4().hex[:12]
        self._next = 0
        self._lock = threading.Lock()

    def burst(self, events: int, batch: int, each: int = 1, people: int | None = None) -> dict[str, Any]:
        """So many events, as fast as one caller can; `each` in a row are about the same person."""
        self._next += -self._next % each
        for start in range(0, events, batch):
            self._door.send(self._changes(min(batch, events - start), each, people))
        return {"events": events}

    def clients(self, seconds: float, batch: int, clients: int) -> dict[str, Any]:
        """Callers side by side, each with its next batch as soon as its last one is accepted."""
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(clients) as pool:
            times = [pool.submit(self._call_until, until, batch) for _ in range(clients)]
        took = sorted(one for future in times for one in future.result())
        return {
            "events": len(took) * batch,
            "p50_ms": percentile(took, 50) * 1000,
            "p99_ms": percentile(took, 99) * 1000,
        }

    def paced(self, rate: float, seconds: float) -> dict[str, Any]:
        """As many a second, evenly: those that are due together go together."""
        began, sent, behind = time.monotonic(), 0, 0.0
        while (passed := time.monotonic() - began) < seconds:
            due = int(passed * rate) + 1 - sent
            if due > 0:
                self._door.send(self._changes(due, 1, None))
                sent += due
                behind = max(behind, time.monotonic() - began - passed)
            time.sleep(max(0.0, min(_TICK_S, began + sent / rate - time.monotonic())))
        return {"events": sent, "longest_call_ms": behind * 1000}

    def _call_until(self, until: float, batch: int) -> list[float]:
        took = []
        while (began := time.monotonic()) < until:
            self._door.send(self._changes(batch, 1, None))
            took.append(time.monotonic() - began)
        return took

    def _changes(self, count: int, each: int, people: int | None) -> list[Change]:
        with self._lock:
            numbers = range(self._next, self._next + count)
            self._next += count
        return [
            (f"{self._prefix}-{n}", 1 + n // each % (people or self._people), f"{self._prefix} {n}")
            for n in numbers
        ]


def _door(words: Iterator[str]) -> Door:
    match next(words):
        case "intake":
            return IntakeDoor(Path(next(words)))
        case "http":
            return HttpDoor(int(next(words)), next(words))
        case _:
            return NaiveDoor()


def main() -> None:
    words = iter(sys.argv[1:])
    people = int(next(words))
    feeder = Feeder(_door(words), people)
    jobs: dict[str, Callable[..., dict[str, Any]]]
    jobs = {"burst": feeder.burst, "clients": feeder.clients, "paced": feeder.paced}
    _say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        job = jobs[asked.pop("job")]
        began, worked = time.monotonic(), time.process_time()
        told = job(**asked)
        _say({**told, "seconds": time.monotonic() - began, "cpu_s": time.process_time() - worked})


def _say(what: Any) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
