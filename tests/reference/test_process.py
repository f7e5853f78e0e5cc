"""A target as a process: it says where it listens, ends at once, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.fixtures.targets import ROOT
from tests.targets.style import NAMES


@pytest.mark.parametrize("style", NAMES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_target_ends_on_a_signal_and_leaves_nothing(style: str, number: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.targets", style]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        url = f"http://{line.removeprefix('listening on ').strip()}/__control__/log"
        with requests.Session() as session:  # an open keep-alive connection must not hold it up
            assert session.get(url, timeout=10).json() == []
            assert list(tmp_path.iterdir())
            started = time.monotonic()
            process.send_signal(number)
            assert process.wait(60) == 0
    assert time.monotonic() - started < 30
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("style", NAMES)
def test_a_target_begins_with_the_accounts_of_its_seed(style: str) -> None:
    seed = f"config/demo/{style}.json"
    command = [sys.executable, "-m", "tests.targets", style, "--seed", seed]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        address = process.stdout.readline().decode().removeprefix("listening on ").strip()
        rows = requests.get(f"http://{address}/__control__/users", timeout=10).json()
        process.terminate()
    wanted = json.loads((ROOT / seed).read_text(encoding="utf-8"))["users"]
    assert {row["username"] for row in rows} == {user["username"] for user in wanted}
