"""Signals of the launcher: the first asks for an orderly stop, all further ones are ignored until it is done.

For the main thread only. A signal is noted at any time, but raises only inside `raising()`: starting and
stopping are never torn in the middle, they look with `check()` where they can be left.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Final, Self

from worker.stack.errors import StopRequested

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, the process does not end by SIGINT, SIGTERM or SIGHUP on its own."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._raises = False
        self._former: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            former = signal.getsignal(number)
            if number is signal.SIGHUP and former is signal.SIG_IGN:
                continue  # nohup: a closed terminal is not to end it
            self._former[number] = former
            signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The former handlers again; after a request the signals stay ignored: the process is ending."""
        for number, former in self._former.items():
            signal.signal(number, signal.SIG_IGN if self.requested else former)

    @property
    def requested(self) -> bool:
        return self._number is not None

    def check(self) -> None:
        """Raise `StopRequested` if a signal has arrived."""
        if self._number is not None:
            raise StopRequested(self._number)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Within, the first signal raises `StopRequested` wherever the main thread is."""
        self._raises = True
        try:
            self.check()
            yield
        finally:
            self._raises = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._number is None:
            self._number = number
            if self._raises:
                self._raises = False
                raise StopRequested(number)
