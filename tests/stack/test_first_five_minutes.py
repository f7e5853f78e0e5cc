"""The README's three users, word for word, against the sandbox that `make run` keeps running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120
HEADING, ADDRESS = "## The three users, five minutes each\n", "http://127.0.0.1:8080"
pytestmark = [pytest.mark.slow]


@pytest.fixture
def sandbox(tmp_path: Path, free_port: int) -> Iterator[dict[str, str]]:
    """What a second terminal has, while the sandbox runs in the first one."""
    environ = os.environ | {"HIREWIRE_STATE_DIR": str(tmp_path / "var"), "HIREWIRE_API__PORT": str(free_port)}
    environ["HIREWIRE_CONFIG"] = "config/demo/sandbox.toml"
    command = [sys.executable, "-m", "worker.cli.main", "up"]
    with (tmp_path / "up.log").open("wb") as log:
        stack = subprocess.Popen(  # noqa: S603 - our own words
            command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: "running;" in (tmp_path / "up.log").read_text() or stack.poll() is not None, "it runs")
        yield environ
    finally:
        stack.send_signal(signal.SIGINT)
        stack.wait(LIMIT_S)


def blocks(port: str) -> list[str]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    assert ADDRESS in section
    found = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [block.replace(ADDRESS, f"http://127.0.0.1:{port}") for block in found]


def test_every_command_of_the_three_users_does_what_it_says(sandbox: dict[str, str]) -> None:
    terminal, sender, operator, schedule = blocks(sandbox["HIREWIRE_API__PORT"])
    assert "24.6.1" in run(terminal, sandbox)
    sent = run(terminal + sender, sandbox)
    assert '"status":"accepted"' in sent
    assert '{"target":"awx","state":"applied"}' in sent
    assert "8 refused" in sent
    told = run(terminal + operator, sandbox)
    for words in (
        "E1001 at awx",
        "nothing is missing",
        "event first-1 from hr (joined)",
        "@leaver",
        "4 of 4 accounts read",
        "resync",
    ):
        assert words in told, words
    assert "0 linked ones are missing" in run(terminal + schedule, sandbox)


def run(script: str, environ: dict[str, str]) -> str:
    """What the script said; what it complained of is part of a failure's report."""
    ended = subprocess.run(  # noqa: S603 - the README's words
        ["/bin/sh", "-c", script],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    sys.stderr.write(ended.stderr)
    return ended.stdout
