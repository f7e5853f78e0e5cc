"""Hirewire and the naive workers beside each other, kept from one scenario to the next."""

from __future__ import annotations

from contextlib import ExitStack

from tests.benchmarks.sides import USUAL, Hirewire, Naive, Remote, Size
from tests.benchmarks.stage import Stage

PEOPLE = 20_000
_PROCESSES = (2, 16)


class Rivals:
    """Started when they are first asked for. One thread's."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._opened = ExitStack()
        self._hirewire: Hirewire | None = None
        self._size: Size | None = None
        self._naive: list[Naive] = []

    def hirewire(self, size: Size = USUAL) -> Hirewire:
        """Running in this size, with a slot for each thread: started again where it ran in another."""
        found = self._hirewire or Hirewire(self._stage, PEOPLE)
        if self._hirewire is None:
            self._opened.callback(found.__exit__)
            self._hirewire = found
        if self._size != size:
            found.__exit__()
            self._size = size
            remote = Remote("awx", self._stage.target.port, size.threads * size.shards)
            found.configure([remote], size)
            found.__enter__()
        return found

    def naive(self) -> list[Naive]:
        """With few processes and with many."""
        if not self._naive:
            self._naive = [self._opened.enter_context(Naive(self._stage, count)) for count in _PROCESSES]
        return self._naive

    def close(self) -> None:
        """Whoever is asked for next is a new one."""
        self._opened.close()
        self._hirewire, self._size, self._naive = None, None, []
