"""The rules of the image, held by its Dockerfile. No engine builds it here; what can be run of it, is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import distribution

from packaging.requirements import Requirement

from tests.deployment.files import ROOT, instructions, service, stages

PINNED = re.compile(r"[\w./-]+:(?!latest\b)[\w.]*\d+\.\d+\.\d+[\w.-]*(?: AS \w+)?")


def arguments(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def test_every_base_image_is_pinned_to_one_patch_version() -> None:
    images = arguments("FROM")
    assert images
    assert [image for image in images if not PINNED.fullmatch(image)] == []
    assert len({image.split()[0] for image in images}) == 1


def test_the_image_has_the_python_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = arguments("FROM")[0].partition(":")[2].partition("-")[0]
    assert Requirement(f"python{project['requires-python']}").specifier.contains(version)


def test_every_installation_is_hash_locked_or_of_our_own_wheel() -> None:
    installs = re.findall(r"pip install ([^&]+)", " ".join(arguments("RUN")))
    assert len(installs) == 3
    for words in installs:
        assert "--no-deps" in words
        assert "--require-hashes" in words or words.split()[-2:] == ["--no-index", "dist/*.whl"], words
    assert "-r requirements.lock" in installs[0]


def test_the_tools_that_build_are_locked_whole_and_stay_behind() -> None:
    (pick,) = re.findall(r"(awk .*?) >build\.lock", " ".join(arguments("RUN")))
    picked = subprocess.run(["sh", "-c", pick], cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S603, S607 - the Dockerfile's own words
    locked = set(re.findall(r"^([\w-]+)==", picked, re.MULTILINE))
    asked = [Requirement(text) for text in distribution("hatchling").requires or ()]
    needed = {one.name for one in asked if one.marker is None or one.marker.evaluate()}
    assert locked == {"hatchling"} | needed
    assert picked.count("--hash=sha256:") >= len(locked)
    assert {rest for word, rest in stages()[-1] if word == "COPY"} == {
        "--from=build /opt/hirewire /opt/hirewire"
    }


def test_the_image_runs_as_a_user_of_its_own_without_pip() -> None:
    last = stages()[-1]
    assert [rest for word, rest in last if word == "USER"] == ["10001:10001"]
    after = [word for word, _ in last[last.index(("USER", "10001:10001")) :]]
    assert "RUN" not in after
    (run,) = [rest for word, rest in last if word == "RUN"]
    assert "pip uninstall --yes pip setuptools wheel" in run
    assert "apt" not in run
    assert ("ENTRYPOINT", '["hirewire"]') in last


def test_nothing_is_fetched_but_packages() -> None:
    assert arguments("ADD") == []
    text = " ".join(rest for _, rest in instructions())
    assert [word for word in ("curl", "wget", "http:", "https:", "git+") if word in text] == []


def test_no_secret_is_built_in() -> None:
    words = " ".join([*arguments("ENV"), *arguments("ARG"), *arguments("COPY")]).lower()
    assert [word for word in ("secret", "password", "token", "hirewire_") if word in words] == []


def test_only_what_the_image_needs_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    sent = {line.removeprefix("!") for line in rules if line.startswith("!")}
    copied = {
        source
        for rest in (rest for word, rest in stages()[0] if word == "COPY")
        for source in rest.split()[:-1]
    }
    assert sent == copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_tag_of_the_image_is_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert service("worker")["image"] == f"hirewire:{project['version']}"
