"""supervisord as one process of ours: its generated configuration, its start, its answers, its end.

It owns every program, restarts what dies without ever giving up, and stops in the order of the ranks. Its
configuration holds names and numbers only; commands stand in a JSON file (see `worker.stack.bound`).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final

from supervisor.xmlrpc import SupervisorTransport

from worker.stack.errors import StackError
from worker.stack.programs import Program

LOGS: Final = "logs"
"""Folder below the state folder; names in the configuration are relative, since no path may hold a `%`."""

SUPERVISOR: Final = "supervisord"
_BOUND_VARIABLE: Final = "HW_BOUND"
_STOP_MARGIN_S: Final = 15
_LEFTOVER_LIMIT_S: Final = 90


@dataclass(frozen=True, slots=True)
class Supervisor:
    """A running supervisord. `folder` is its runtime folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    stop_limit_s: float

    def states(self) -> dict[str, str]:
        """Program -> supervisor's word for its state; empty until supervisord listens."""
        try:
            rows = _ask(self.folder, "getAllProcessInfo")
        except (OSError, HTTPException, xmlrpc.client.Error):
            return {}
        return {str(row["name"]): str(row["statename"]) for row in rows} if isinstance(rows, list) else {}

    def start(self, name: str) -> None:
        """Start a program that does not start on its own. Returns at once."""
        _ask(self.folder, "startProcess", name, False)

    def died(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        """End every program in order, then supervisord; returns when all are gone."""
        self.process.terminate()
        try:
            self.process.wait(self.stop_limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def launch(
    programs: Sequence[Program], folder: Path, state_dir: Path, environ: Mapping[str, str]
) -> Supervisor:
    """Start supervisord, and with it the programs that are `early`."""
    (state_dir / LOGS).mkdir(mode=0o700, exist_ok=True)
    file, configuration = folder / "programs.json", folder / "supervisord.conf"
    own = [sys.executable, "-m", "supervisor.supervisord", "-n", "-s", "-c", str(configuration)]
    commands = {program.name: program.command for program in programs} | {SUPERVISOR: own}
    file.write_text(json.dumps(commands), encoding="utf-8")
    configuration.write_text(render(programs), encoding="utf-8")
    bound = [sys.executable, "-m", "worker.stack.bound", str(file)]
    with (state_dir / LOGS / "supervisord.out").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [*bound, SUPERVISOR],
            cwd=state_dir,
            env={**environ, _BOUND_VARIABLE: shlex.join(bound)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal reaches the launcher only, which keeps the order
        )
    limit = sum(program.stop_wait_s for program in programs) + _STOP_MARGIN_S
    return Supervisor(process, folder, limit)


def end_leftover(folder: Path) -> None:
    """Stop a supervisord that outlived its launcher, if one answers from this runtime folder."""
    limit = time.monotonic() + _LEFTOVER_LIMIT_S
    while _told_to_shut_down(folder):
        if time.monotonic() > limit:
            raise StackError(f"a supervisor of an earlier stack does not stop: {folder}")
        time.sleep(0.1)


def _told_to_shut_down(folder: Path) -> bool:
    """False when nobody listens any more."""
    try:
        _ask(folder, "shutdown")
    except xmlrpc.client.Fault:
        return True  # it is stopping already
    except (OSError, HTTPException, xmlrpc.client.Error):
        return False
    return True


def render(programs: Sequence[Program]) -> str:
    """The configuration. `%(here)s` is the runtime folder."""
    root = "user=root\n" if os.geteuid() == 0 else ""
    return _HEAD.format(root=root, logs=LOGS) + "".join(
        _PROGRAM.format(
            name=program.name,
            bound=f"%(ENV_{_BOUND_VARIABLE})s",
            priority=(program.rank + 1) * 10,
            autostart=str(program.early).lower(),
            stop=program.stop_wait_s,
            logs=LOGS,
        )
        for program in programs
    )


def _ask(folder: Path, method: str, *arguments: str | bool) -> object:
    transport = SupervisorTransport(None, None, f"unix://{folder / 'supervisor.sock'}")
    try:
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)
    finally:
        transport.close()


_HEAD: Final = """\
[supervisord]
nodaemon=true
nocleanup=true
minprocs=32
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile=%(here)s/supervisord.pid
{root}
[unix_http_server]
file=%(here)s/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM: Final = """
[program:{name}]
command={bound} {name}
priority={priority}
autostart={autostart}
autorestart=true
startsecs=1
startretries=1000000
stopsignal=TERM
stopwaitsecs={stop}
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""
