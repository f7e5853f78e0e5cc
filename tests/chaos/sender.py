"""Events through the users' own door, `hirewire send`, portion by portion, until it says they are stored."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos.companion import Companion
from tests.chaos.programs import HIREWIRE
from tests.demo.scene import ROOT

_LIMIT_S = 60.0
_STORED = (0, 1)  # 1: some were refused, as some must be


class Sender(Companion):
    """Spreads the portions evenly over `seconds`; `told` adds up what the commands said."""

    def __init__(
        self, environ: Mapping[str, str], folder: Path, portions: Sequence[Sequence[str]], seconds: float
    ) -> None:
        super().__init__("sender")
        self._environ = environ
        self._folder = folder
        self._portions = portions
        self._pause_s = seconds / max(1, len(portions))
        self.told: Counter[str] = Counter()
        self.again = 0  # portions sent again since the command failed
        self.sent = 0

    def work(self) -> None:
        began = time.monotonic()
        for place, portion in enumerate(self._portions):
            if self._over.wait(max(0.0, began + place * self._pause_s - time.monotonic())):
                return
            self.send(place, portion)

    @property
    def finished(self) -> bool:
        return not self.is_alive()

    def send(self, place: int, portion: Sequence[str]) -> None:
        """Until the command says that everything is stored: a database that is away costs a repetition."""
        file = self._folder / f"events-{place}.ndjson"
        file.write_text("".join(f"{line}\n" for line in portion), encoding="utf-8")
        limit = time.monotonic() + _LIMIT_S
        while not self._over.is_set():
            told = self._run(file)
            if told is not None:
                self.told.update({name: told[name] for name in ("accepted", "duplicates", "refused")})
                self.sent += len(portion)
                return
            if time.monotonic() > limit:
                raise RuntimeError(f"{file.name} could not be sent, see send.log")
            self.again += 1

    def _run(self, file: Path) -> Mapping[str, int] | None:
        with (self._folder / "logs" / "send.log").open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own words
                [*HIREWIRE, "send", str(file), "--json"],
                cwd=ROOT,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                timeout=_LIMIT_S,
                check=False,
                start_new_session=True,
            )
        if done.returncode not in _STORED:
            return None
        told: Mapping[str, int] = json.loads(done.stdout)
        return told
