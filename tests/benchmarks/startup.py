"""How long a command takes to say its help and a worker to be ready; what the embedded stack weighs idle."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.processes import Program, cpu_s, tree
from tests.benchmarks.sides import Hirewire
from tests.benchmarks.stage import Stage
from tests.demo.scene import ROOT
from tests.waiting import until

SCENARIO = "start"
HELP, READY, STACK = "hirewire --help", "worker ready", "hirewire up, idle"
_CONFIGURATION = """
state_dir = "var"
[api]
port = 0
[sources.hr]
attributes = ["user_name"]
[targets.awx]
connector = "awx"
base_url = "http://127.0.0.1:{port}"
credential = {{ scheme = "bearer", secret = "benchmark" }}
"""
_REST_S, _IDLE_S = 3.0, 5.0


def play(stage: Stage) -> None:
    hirewire = Hirewire(stage, 1_000)
    for number in range(1, stage.rounds + 1):
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "worker.cli.main", "--help"], cwd=ROOT, check=True, capture_output=True
        )
        stage.note(SCENARIO, HELP, number, {"seconds": time.monotonic() - began})
        stage.note(SCENARIO, READY, number, {"seconds": _ready_s(hirewire)})
    stage.note(SCENARIO, STACK, 1, _idle(stage))


def _ready_s(hirewire: Hirewire) -> float:
    with ExitStack() as opened:
        opened.callback(hirewire.__exit__)
        began = time.monotonic()
        hirewire.start("worker").logged("worker_ready")
        return time.monotonic() - began


def _idle(stage: Stage) -> dict[str, float]:
    """Memory of all its processes, shared pages once, and the share of one core that they take."""
    folder = stage.folder / "embedded"
    folder.mkdir()
    (folder / "hirewire.toml").write_text(_CONFIGURATION.format(port=stage.target.port))
    environ = {"HIREWIRE_CONFIG": str(folder / "hirewire.toml")}
    with Program("worker.cli.main", "up", log=folder / "up.log", **environ) as stack:
        until(lambda: "worker_ready" in _read(folder / "var" / "logs" / "worker.log"), "the stack runs")
        time.sleep(_REST_S)
        before = cpu_s({"stack": stack.pid})["stack"]
        time.sleep(_IDLE_S)
        busy = (cpu_s({"stack": stack.pid})["stack"] - before) / _IDLE_S
        pids = list(tree(stack.pid))
        return {
            "memory_mb": sum(map(pss_mb, pids)),
            "processes": float(len(pids)),
            "core_percent": 100 * busy,
        }


def _read(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def pss_mb(pid: int) -> float:
    lines = _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
