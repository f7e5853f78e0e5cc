"""The room of one process: ordinary work shares it, a crash suspect has it to itself.

Promise: while somebody is alone nobody else is inside, so a process that dies then dies of that one account.
Nobody starves: whoever waited for one suspect goes in before the next one, and leaves as soon as it
has nothing in flight. Every wait is bounded by its caller.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_S = 1.0


class Room:
    """One for each process; safe from every thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._waiting = 0
        self._alone = False
        self.wanted = False  # somebody waits to be alone: finish, and take nothing new

    def enter(self, wait_s: float) -> bool:
        """Come in beside others; False where somebody was alone, or wanted to be, all the time."""
        with self._changed:
            self._waiting += 1
            came_in = self._changed.wait_for(self._is_open, wait_s)
            self._waiting -= 1
            self._inside += came_in
            self._changed.notify_all()
        return came_in

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def take(self, wait_s: float) -> bool:
        """Come in alone; False where others did not leave in time."""
        with self._changed:
            if not self._changed.wait_for(self._is_my_turn, wait_s):
                return False
            self.wanted = True
            self._alone = self._changed.wait_for(self._is_empty, wait_s)
            self.wanted = False
            self._changed.notify_all()
            return self._alone

    def give_up(self) -> None:
        """The one who was alone lets the others in."""
        with self._changed:
            self._alone = False
            self._changed.notify_all()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Inside beside others, for as long as that takes to come."""
        while not self.enter(_PATIENCE_S):
            pass
        try:
            yield
        finally:
            self.leave()

    def _is_open(self) -> bool:
        return not self._alone and not self.wanted

    def _is_my_turn(self) -> bool:
        return self._is_open() and self._waiting == 0

    def _is_empty(self) -> bool:
        return self._inside == 0
