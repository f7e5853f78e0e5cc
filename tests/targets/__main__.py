"""`python -m tests.targets STYLE --port N`: one target in the foreground until SIGTERM or SIGINT.

The first line on standard output is `listening on 127.0.0.1:PORT`. The database lives in a
temporary folder that is gone when the process has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from tests.targets import project, style

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with tempfile.TemporaryDirectory(prefix="hw-target-", ignore_cleanup_errors=True) as folder:
        _serve(style.load(arguments.style), arguments.port, Path(folder), _start(arguments.seed))


def _start(seed: Path | None) -> dict[str, Any] | None:
    """What the target begins with: no faults, and no word of whose account it is in HR's eyes."""
    if seed is None:
        return None
    payload: dict[str, Any] = json.loads((ROOT / seed).read_text(encoding="utf-8"))
    payload.pop("faults", None)
    for user in payload["users"]:
        user.pop("subject", None)
    return payload


def _serve(chosen: style.Style, port: int, folder: Path, start: dict[str, Any] | None) -> None:
    application = project.start(chosen, folder)
    from tests.targets.server import TargetServer  # noqa: PLC0415 - imports Django's settings

    world = style.world_of(chosen)
    if start is not None:
        world.seed(start)
    with TargetServer(port, application, world) as server:
        sys.stdout.write(f"listening on 127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        try:
            server.serve_forever(poll_interval=0.5)  # a signal may come just before the wait begins
        finally:
            server.stopping.set()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.targets", description=__doc__)
    parser.add_argument("style", choices=style.NAMES)
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument(
        "--seed", type=Path, help="JSON with users and tokens, counted from the project's root"
    )
    return parser.parse_args()


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """Unwinds the main thread; connection threads are daemons and end with it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    os.umask(0o077)
    main()
