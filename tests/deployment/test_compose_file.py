"""What docker-compose.yml promises, read out of the file itself; test_deployment runs what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import load
from tests.deployment.files import COMPOSE, PROGRAMS, ROOT, compose, service
from tests.deployment.room import Room
from worker.cli.main import COMMANDS
from worker.cli.main import load as command_named

SERVICES = sorted(compose()["services"])


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Room(tmp_path) as made:
        yield made


def test_the_file_is_valid_by_the_compose_specification(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert subprocess.run([*command, COMPOSE], capture_output=True, check=False).returncode == 0  # noqa: S603 - our own words
    spoilt = tmp_path / "docker-compose.yml"
    spoilt.write_text(COMPOSE.read_text(encoding="utf-8").replace("read_only:", "readonly:"))
    assert subprocess.run([*command, spoilt], capture_output=True, check=False).returncode == 1  # noqa: S603 - our own words


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_hardened_and_only_the_api_publishes_a_port(name: str) -> None:
    found = service(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert any(mount.startswith("/tmp") for mount in found["tmpfs"])  # noqa: S108 - in the container
    assert {"privileged", "cap_add", "network_mode", "pid", "expose"} & set(found) == set()
    assert found.get("ports", []) == (["127.0.0.1:8080:8080"] if name == "api" else [])
    assert found["stop_grace_period"] == "45s"
    assert name in PROGRAMS or found["user"].split(":")[0] not in ("0", "root")


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name: str) -> None:
    tag = service(name)["image"].partition(":")[2]
    assert tag[:1].isdigit()
    assert tag.count(".") >= 1


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_variable_is_a_setting(name: str, room: Room) -> None:
    environ = room.environment(name)
    assert {variable.partition("_")[0] for variable in environ} == {"HIREWIRE"}
    settings = load(environ=environ)
    assert settings.database.url is not None
    assert (settings.broker.url is None) == (name == "migrate")
    assert settings.logs.format == "json"


def test_the_target_of_the_shipped_configuration_only_observes(room: Room) -> None:
    settings = load(environ=room.environment("worker"))
    assert {target.mode for target in settings.targets.values()} == {"observe"}
    assert all(target.protected.usernames for target in settings.targets.values())


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_command_and_its_options_exist(name: str) -> None:
    command, *words = service(name)["command"]
    assert command in COMMANDS
    known = {option for parameter in command_named(command).params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_two_workers_and_two_beats_run_and_wait_for_the_migration() -> None:
    for name in ("worker", "beat"):
        found = service(name)
        assert found["deploy"] == {"replicas": 2}
        assert found["restart"] == "unless-stopped"
        assert {other: how["condition"] for other, how in found["depends_on"].items()} == {
            "postgres": "service_healthy",
            "valkey": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    assert service("migrate")["restart"] == "no"


def test_only_workers_reach_the_outside() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    outside = {name for name in SERVICES if "outside" in service(name)["networks"]}
    assert outside == {"worker"}
    assert {name for name in SERVICES if "front" in service(name)["networks"]} == {"api"}
    masquerade = compose()["networks"]["front"]["driver_opts"]
    assert masquerade == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    assert all("inside" in service(name)["networks"] for name in SERVICES)


def test_nobody_gets_a_secret_that_is_not_theirs() -> None:
    holders: dict[str, set[str]] = {name: set() for name in compose()["secrets"]}
    for name in SERVICES:
        for secret in service(name)["secrets"]:
            holders[secret].add(name)
    assert holders == {
        "postgres_password": {"postgres"},
        "database_owner_url": {"postgres", "migrate"},
        "database_app_url": {"postgres", "worker", "beat", "api"},
        "broker_url": {"worker", "beat", "api"},
        "valkey_acl": {"valkey"},
        "awx_prod": {"migrate", "worker", "beat", "api"},
    }


def test_no_secret_stands_in_the_file() -> None:
    for name in SERVICES:
        for variable, value in service(name).get("environment", {}).items():
            secret = any(word in variable for word in ("PASSWORD", "URL", "SECRET", "TOKEN"))
            assert not secret or value.startswith("/run/secrets/"), variable


def test_every_file_that_is_mounted_is_here_or_made_by_the_script(room: Room) -> None:
    document: dict[str, Any] = compose()
    for source in document["configs"].values():
        assert (ROOT / source["file"]).is_file()
    given = {Path(source["file"]).name for source in document["secrets"].values()}
    made = {path.name for path in room.secrets.iterdir()} - {".gitignore"}
    assert given == made
    assert all(source["file"] == f"./secrets/{name}" for name, source in document["secrets"].items())


def test_data_is_kept_in_volumes_where_the_images_put_it() -> None:
    assert service("postgres")["volumes"] == ["postgres:/var/lib/postgresql"]  # as of image 18
    assert service("valkey")["volumes"] == ["valkey:/data"]
    assert service("worker")["volumes"] == ["checkpoints:/var/lib/hirewire"]
    assert set(compose()["volumes"]) == {"postgres", "valkey", "checkpoints"}


def test_the_secrets_script_never_overwrites(room: Room) -> None:
    before = {path.name: path.read_bytes() for path in room.secrets.iterdir()}
    again = room.write_secrets()
    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    assert {path.name: path.read_bytes() for path in room.secrets.iterdir()} == before
    assert room.secrets.stat().st_mode & 0o777 == 0o700
    assert (room.secrets / ".gitignore").read_text() == "*\n"
