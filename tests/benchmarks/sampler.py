"""Where a process spends its processor time: a thread that looks at all others a few hundred times a second.

Each look gives a thread the processor time that it used since the last one, and books it on the stack that it
is in now. So a thread that waits for an answer costs nothing, and one in C code is booked on its caller.
The interpreter lets this thread in between two steps of another: short functions are told a little unjustly.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import threading
import time
from pathlib import Path
from types import FrameType

from tests.benchmarks.stages import Call, Costs
from tests.demo.scene import ROOT

EVERY_S = 0.003
_PACKAGES = "site-packages/"
_PYTHON = sysconfig.get_path("stdlib")
_DEEPEST = 200
_LOOKS = 20
_PER_THREAD = 6  # of the kernel's numbers for clocks: the processor time of one thread


class Sampler:
    """From `start` on. A new number in the folder's file `asked` is answered by a file with that number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._costs = Costs()
        self._spent: dict[int, float] = {}
        self._names: dict[str, str] = {}
        self._numbers: dict[int, int] = {}
        self._told = 0

    def start(self) -> None:
        threading.Thread(target=self._watch, name="sampler", daemon=True).start()

    def _watch(self) -> None:
        own = threading.get_ident()
        while True:
            for _ in range(_LOOKS):
                time.sleep(EVERY_S)
                for thread, frame in sys._current_frames().items():
                    if thread != own:
                        self._look(thread, frame)
            self._tell_when_asked()

    def _look(self, thread: int, frame: FrameType) -> None:
        try:
            spent = time.clock_gettime(_clock_of(self._number(thread)))
        except OSError:  # it has ended
            self._numbers.pop(thread, None)
            self._spent.pop(thread, None)
            return
        used = spent - self._spent.get(thread, spent)
        self._spent[thread] = spent
        if used > 0:
            self._costs.add(self._stack(frame), used)

    def _number(self, thread: int) -> int:
        """The kernel's. A fork leaves the main thread with its parent's, where Python keeps it."""
        if thread not in self._numbers:
            alive = {one.ident: one.native_id for one in threading.enumerate()}
            main = threading.main_thread().ident
            self._numbers[thread] = os.getpid() if thread == main else alive.get(thread) or 0
        return self._numbers[thread]

    def _stack(self, frame: FrameType | None) -> list[Call]:
        calls: list[Call] = []
        while frame is not None and len(calls) < _DEEPEST:
            code = frame.f_code
            calls.append((self._name(code.co_filename), code.co_name))
            frame = frame.f_back
        return calls[::-1]

    def _name(self, file: str) -> str:
        known = self._names.get(file)
        if known is None:
            known = self._names[file] = named(file)
        return known

    def _tell_when_asked(self) -> None:
        """`asked` holds a number; another one than the last: begin anew after telling."""
        try:
            number = int((self._folder / "asked").read_text() or 0)
        except OSError:
            return
        if number == self._told:
            return
        self._told = number
        whole = self._folder / f"{number}-{os.getpid()}"
        whole.with_suffix(".part").write_text(json.dumps(self._costs.as_json()))
        whole.with_suffix(".part").rename(whole.with_suffix(".json"))
        self._costs = Costs()


def _clock_of(number: int) -> int:
    """The clock of a thread's processor time (`clock_getcpuclockid`); of none: one that is refused."""
    return (~number << 3) | _PER_THREAD


def named(file: str) -> str:
    """Within the project by its path; a module of a package or of Python itself by its full name."""
    if file.startswith(str(ROOT)) and _PACKAGES not in file:
        return str(Path(file).relative_to(ROOT))
    module = file.rpartition(_PACKAGES)[2] if _PACKAGES in file else file.removeprefix(_PYTHON)
    return module.removesuffix(".py").strip("/").replace("/", ".")
