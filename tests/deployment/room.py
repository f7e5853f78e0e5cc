"""A folder that stands for a container's mounts: the same commands and variables, with other paths in them.

What compose mounts below /run/secrets and /etc lies in the folder; every path of the compose file, and of the
files that it mounts, is turned into one there. Nothing else of a command or a variable is changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.deployment.files import ROOT, compose, instructions, service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_NOT_THEIRS = ("HIREWIRE_", "COLUMNS", "FORCE_COLOR")


class Room:
    """The mounts of one deployment. `token` is the secret of the target `awx_prod`."""

    def __init__(self, folder: Path, token: str = "a-token") -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self._token = token
        self._places = {
            "/run/secrets": str(self.secrets),
            "/etc": str(folder / "etc"),
            "/tmp/hirewire": str(folder / "state"),  # noqa: S108 - in the container
            "/var/lib/hirewire": str(folder / "checkpoints"),
            "/data": str(folder / "data"),
            "/docker-entrypoint-initdb.d": str(folder / "etc" / "initdb"),
        }

    def __enter__(self) -> Self:
        (self.folder / "data").mkdir()
        written = self.write_secrets()
        assert written.returncode == 0, written.stderr
        (self.secrets / "awx_prod").write_text(f"{self._token}\n")
        for file in self.secrets.iterdir():
            file.chmod(0o600)  # here, others could look into a folder that root reads
        for name in ("postgres", "valkey", "worker"):
            for mount in service(name)["configs"]:
                self._mount(compose()["configs"][mount["source"]]["file"], mount["target"])
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder)

    def write_secrets(self) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(ROOT / "config" / "compose" / "secrets.sh"), str(self.secrets)]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words

    def _mount(self, source: str, target: str) -> None:
        place = Path(self.mounted(target))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self.mounted((ROOT / source).read_text(encoding="utf-8")), encoding="utf-8")

    def mounted(self, text: str) -> str:
        """The text with every path of a mount as it is here."""
        for inside, here in self._places.items():
            text = text.replace(f"{inside}/", f"{here}/") if inside in text else text
            text = here if text == inside else text
        return text.replace("dir /data\n", f"dir {self._places['/data']}\n")

    def environment(self, name: str) -> dict[str, str]:
        """The variables that compose gives a service."""
        return {key: self.mounted(value) for key, value in service(name)["environment"].items()}

    def command(self, name: str, *words: str) -> list[str]:
        """What a container of the service runs: the image's entry, then its command or these words."""
        (entry,) = [json.loads(rest) for word, rest in instructions() if word == "ENTRYPOINT"]
        return [
            str(Path(sys.executable).with_name(entry[0])),
            *entry[1:],
            *(words or service(name)["command"]),
        ]

    def health(self, name: str) -> list[str]:
        """The health check of a service, with the Python that runs now."""
        kind, program, *words = service(name)["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "python")
        return [sys.executable, *words]

    def process(self, name: str, more: Mapping[str, str]) -> dict[str, Any]:
        """How a process of the service is started here."""
        ours = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_THEIRS)}
        working = self.folder / "working"
        working.mkdir(exist_ok=True)
        return {"env": {**ours, **self.environment(name), **more}, "cwd": working}
