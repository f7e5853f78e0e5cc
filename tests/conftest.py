"""What every test can ask for. The fixtures themselves live in tests/fixtures/."""

from __future__ import annotations

import signal
import threading

pytest_plugins = ["tests.fixtures.services", "tests.fixtures.targets"]


def pytest_configure() -> None:
    """Take Ctrl-C back where it is ignored, as it is below `runuser` or in a shell's background.

    The programs that tests start inherit what we have, and some tests are about Ctrl-C.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
