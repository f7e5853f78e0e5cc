"""`python -m tests.faults.mortal_worker FILE WORDS…`: `hirewire WORDS`, whose engine dies where FILE says.

FILE holds a moment (`tests.faults.moments`) and `child` or `worker`. Who comes to that moment first takes the
file away and kills itself, or the whole worker with all its processes; later ones live on until there is a
new FILE.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.moments import watch
from worker.cli import worker
from worker.cli.main import main as hirewire

if TYPE_CHECKING:
    from celery import Celery

    from config.settings import Settings
    from worker.bootstrap import Runtime
    from worker.engine.ports import Stopping, Vitals


def main(file: Path, words: list[str]) -> None:
    build = worker.open_runtime

    def open_runtime(settings: Settings, app: Celery, stopping: Stopping, vitals: Vitals) -> Runtime:
        runtime = build(settings, app, stopping, vitals)
        watch(runtime, lambda moment: die_at(moment, file))
        return runtime

    worker.open_runtime = open_runtime
    sys.argv = ["hirewire", *words]
    sys.exit(hirewire())


def die_at(moment: str, file: Path) -> None:
    taken = file.with_suffix(f".{os.getpid()}")
    try:
        fatal, whom = file.read_text().splitlines()
        if moment != fatal:
            return
        file.rename(taken)
    except FileNotFoundError:
        return
    if whom == "worker":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # the signal is on its way; nothing more happens here


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
