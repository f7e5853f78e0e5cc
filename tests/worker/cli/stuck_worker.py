"""`python -m tests.worker.cli.stuck_worker FILE`: a worker one of whose requests never comes back.

Only the first worker that finds no FILE hangs, and makes it; one that is started again is sound.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from worker.cli.main import main as hirewire
from worker.engine import dispatch

if TYPE_CHECKING:
    from connectors.sdk.model import Found, Outcome
    from worker.engine.job import Job


def main(file: Path) -> None:
    sound = dispatch.call

    def stuck(job: Job) -> Outcome | Found:
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            return sound(job)
        threading.Event().wait()
        raise AssertionError("nobody sets it")

    dispatch.call = stuck
    sys.argv = ["hirewire", "worker"]
    sys.exit(hirewire())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
