"""Accepted events a second, with nobody who works on them: in batches of 100, and singly by 8 clients.

Hirewire takes them in process and over `hirewire api`; a receipt means that the event is on disk. The naive
worker's `delay()` means that the message is in the broker; for want of batches one client calls it in turn.
A run lasts half as long as elsewhere.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.benchmarks.sides import KEY, Feeding, Hirewire, Naive, until_port
from tests.benchmarks.stage import Stage

SCENARIO = "accepted events"
BATCHES, SINGLY = "batches of 100", "singly, 8 clients"
IN_PROCESS, HTTP, NAIVE = "in process", "HTTP", "naive delay()"
_JOBS = {BATCHES: {"batch": 100, "clients": 1}, SINGLY: {"batch": 1, "clients": 8}}


def play(stage: Stage) -> None:
    with ExitStack() as opened:
        hirewire = Hirewire(stage, 1_000)
        opened.callback(hirewire.__exit__)
        hirewire.start("api")
        until_port(hirewire.api_port)
        naive = Naive(stage, 3)
        opened.callback(naive.__exit__)
        doors = {
            IN_PROCESS: hirewire.feeder("intake", str(hirewire.config)),
            HTTP: hirewire.feeder("http", str(hirewire.api_port), KEY),
            NAIVE: naive.feeder(),
        }
        for number in range(1, stage.rounds + 1):
            for door, feeder in doors.items():
                for how in _JOBS:
                    stage.note(SCENARIO, f"{door}, {how}", number, _figures(stage, feeder, how))


def _figures(stage: Stage, feeder: Feeding, how: str) -> dict[str, float]:
    told = feeder.told_of(job="clients", seconds=stage.seconds / 2, **_JOBS[how])
    shares = {name: told[name] for name in ("p50_ms", "p99_ms")}
    return {"per_s": told["events"] / told["seconds"], **shares}
