"""A thread beside a run: what goes wrong in it is told to whoever stops it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class Companion(threading.Thread, ABC):
    """`work` runs between `start` and `stop`, and looks at `_over` to end."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._over = threading.Event()
        self.error: BaseException | None = None

    @abstractmethod
    def work(self) -> None:
        """What the thread is for."""

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - told by whoever joins us
            self.error = error

    def stop(self) -> None:
        self._over.set()
        if self.ident is not None:
            self.join()
        if self.error is not None:
            raise self.error
