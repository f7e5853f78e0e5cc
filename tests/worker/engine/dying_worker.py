"""`python -m tests.worker.engine.dying_worker FILE PLACE SUBJECT`: a worker's process that one account kills.

FILE holds the arguments of `settings_for` as JSON; PLACE says when it dies: at the first `view`, or
when a `patch` is about to be sent. It works for a moment and ends in order where nothing kills it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for
from tests.worker.engine.traps import TrappedConnector, trap, trap_view

if TYPE_CHECKING:
    from worker.domain.account import Person

DEATH = 9
_WORK_S = 1.0


def die(*_: object) -> NoReturn:
    os._exit(DEATH)


class DeadlyConnector(TrappedConnector):
    """It kills whoever is about to patch one account."""

    def patch(self, remote_id: str, *rest: Any) -> Any:
        return die() if remote_id == self._remote_id else self._connector.patch(remote_id, *rest)


def kill(_person: Person) -> Person:
    die()


def main(file: Path, place: str, victim: str) -> None:
    told = json.loads(file.read_text())
    target = ReferenceTarget("awx", told["port"])
    rig = Rig(settings_for(told["database"], file.parent, {"awx": target}, told["engine"], told["options"]))
    if place == "view":
        trap_view(rig, victim, kill)
    else:
        trap(rig, connector=lambda real: DeadlyConnector(real, victim))
    until = time.monotonic() + _WORK_S
    while time.monotonic() < until:
        rig.fold()
        rig.sync()
        time.sleep(0.02)
    rig.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
