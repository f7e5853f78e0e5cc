"""What can end a stack besides an orderly stop."""

from __future__ import annotations

import signal


class StackError(Exception):
    """The stack cannot run. The message is for the person at the terminal: what is wrong, and the way out."""


class StopRequested(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Not an `Exception`, so that no handler of errors swallows it."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def exit_code(self) -> int:
        """As a shell reports a program that this signal ended."""
        return 128 + self.number
