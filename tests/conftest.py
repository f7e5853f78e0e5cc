"""What every test can ask for. The fixtures themselves live in tests/fixtures/."""

from __future__ import annotations

import signal
import threading

USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}

pytest_plugins = [
    "tests.fixtures.agreement",
    "tests.fixtures.compiled",
    "tests.fixtures.services",
    "tests.fixtures.targets",
]


def pytest_configure() -> None:
    """Take back what whoever started us ignores: Ctrl-C below `runuser`, a hang-up below `nohup`.

    The programs that tests start inherit what we have, and some tests are about these signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number, handler in USUAL.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
