"""`hirewire`, called as its users call it: as a program, with the environment of the demo's stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LIMIT_S = 60.0


class CommandError(Exception):
    """A command did not end as it should; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    errors: str


class Hirewire:
    """`environ` tells the commands which configuration and state folder are meant."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = {**environ, "PYTHONIOENCODING": "utf-8"}
        self._folder = folder

    def __call__(self, *words: str, codes: tuple[int, ...] = (0,)) -> Answer:
        """Run `hirewire WORDS`. Raises CommandError unless it ends with one of `codes`."""
        try:
            answer = self._run(words)
        except subprocess.TimeoutExpired:
            raise CommandError(f"`hirewire {' '.join(words)}` took more than {_LIMIT_S:.0f} s") from None
        if answer.code not in codes:
            said = (answer.errors or answer.out).strip()[-2000:]
            raise CommandError(f"`hirewire {' '.join(words)}` ended with {answer.code}: {said}")
        return answer

    def _run(self, words: Sequence[str]) -> Answer:
        process = subprocess.run(  # noqa: S603 - our own words
            [str(Path(sys.executable).with_name("hirewire")), *words],
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
            start_new_session=True,  # Ctrl-C reaches the demo only, which ends this in order
        )
        return Answer(process.returncode, process.stdout, process.stderr)

    def document(self, *words: str, codes: tuple[int, ...] = (0,)) -> Any:
        """The JSON that the command prints with `--json`."""
        answer = self(*words, "--json", codes=codes)
        try:
            return json.loads(answer.out)
        except ValueError as error:
            raise CommandError(f"`hirewire {' '.join(words)} --json` printed no JSON: {error}") from None
