"""hirewire.example.toml shows every option, and what it shows as a default is the default."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_origin

import pytest
from pydantic import BaseModel

import config
from config.problems import walk
from config.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(config.__file__).with_name("hirewire.example.toml")
OPTION = re.compile(r"^# (?=[a-z_]+ = )", re.MULTILINE)
NAMES = {"sources": "hr", "targets": "awx_prod", "sidecars": "tunnel", "secrets": "spring", "keys": "spring"}


def options(model: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each option, with the example's names where the tree has a free one."""
    for name in model.model_fields:
        path = (*place, name)
        annotation = walk(model, (name,))
        if get_origin(annotation) is dict and name in NAMES:
            path, annotation = (*path, NAMES[name]), get_args(annotation)[1]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from options(annotation, path)
        else:
            yield path


def shown() -> dict[str, object]:
    """The example with every commented-out default in force."""
    return tomllib.loads(OPTION.sub("", EXAMPLE.read_text(encoding="utf-8")))


def test_the_example_loads_as_it_stands() -> None:
    settings = load(EXAMPLE, {})
    assert settings.targets["awx_prod"].read_secret() == "change-me"
    assert settings.sources["hr"].uri == "https://hr.example.com"
    assert settings.state_dir == EXAMPLE.parent / "var"


@pytest.mark.parametrize("path", list(options(Settings)), ids=".".join)
def test_every_option_is_shown(path: tuple[str, ...]) -> None:
    place: object = shown()
    for part in path:
        assert isinstance(place, dict)
        assert part in place, f"{'.'.join(path)} is not in the example"
        place = place[part]


def test_what_is_commented_out_is_the_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    # shown as a choice, not as a default
    alternatives = ("url = ", "url_file = ", "secret_file = ", "username = ")
    alternatives += ("audit_days = ", "checkpoint_file = ", "signing_key_file = ", "verify_key_file = ")
    alternatives += ("subjects = ", "only_types = ", "sequence = ", "id = ", "not_before = ", "not_after = ")
    kept = [
        line for line in text.splitlines() if not line.startswith(tuple(f"# {key}" for key in alternatives))
    ]
    in_force = tmp_path / "in_force.toml"
    in_force.write_text(OPTION.sub("", "\n".join(kept)), encoding="utf-8")
    assert load(in_force, {}).model_dump(exclude={"state_dir"}) == load(EXAMPLE, {}).model_dump(
        exclude={"state_dir"}
    )


def test_every_option_has_a_comment_above_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    option = re.compile(r"^(# )?[a-z_]+ = ")
    for above, line in itertools.pairwise(lines):
        if option.match(line):
            assert above.startswith(("#", "[")) or option.match(above), line
