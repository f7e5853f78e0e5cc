"""What a source proves with who it is: checked when the configuration is loaded, read where it lies."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from config.settings import ConfigurationError, load

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of a good secret").decode()
SOURCE = """
[sources.hr]
attributes = ["email"]
"""


def problems(tmp_path: Path, text: str) -> tuple[str, ...]:
    file = tmp_path / "hirewire.toml"
    file.write_text(SOURCE + text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(file, {})
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('secrets.a = { secret = "hunter2-hunter2-hunter2" }', "must begin with whsec_"),
        ('secrets.a = { secret = "whsec_c2hvcnQ=" }', "must have 24 bytes or more"),
        ('secrets.a = { secret = "whsec_hunter2!" }', "must be base64"),
        (f'secrets.a = {{ secret = "{SECRET}", secret_file = "x" }}', "secret_file"),
        ("secrets.a = {}", "needs exactly one of secret and secret_file"),
        ('keys.a = { sha256 = "hunter2" }', "sources.hr.keys.a.sha256"),
        (
            'keys.a = { sha256 = "%s", not_before = 2026-02-01T00:00:00Z, not_after = 2026-01-01T00:00:00Z }'
            % ("0" * 64),
            "not_before must be earlier",
        ),
        ('keys.a = { sha256 = "%s", not_after = 2026-01-01T00:00:00 }' % ("0" * 64), "timezone"),
        ('subjects = "E["', "is not a regular expression"),
        ('only_types = ["hirewire.person.change"]', "did you mean hirewire.person.changed"),
        ('delivery = { type = "a", subject = "b[", time = "c" }', "is not JMESPath"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place_and_never_quoted(
    tmp_path: Path, text: str, said: str
) -> None:
    found = problems(tmp_path, text)
    assert any(said in problem for problem in found), found
    assert all("hunter2" not in problem for problem in found)


def test_two_sources_cannot_have_one_key(tmp_path: Path) -> None:
    same = '{ sha256 = "' + "0" * 64 + '" }'
    other = f'[sources.payroll]\nattributes = ["title"]\nkeys.b = {same}'
    found = problems(tmp_path, f"keys.a = {same}\n{other}")
    assert found == ("sources.payroll.keys: has a key of source hr",)


def test_a_secret_file_counts_from_the_configurations_folder_and_is_read_anew(tmp_path: Path) -> None:
    secret = tmp_path / "hr_spring"
    secret.touch(mode=0o600)
    secret.write_text(f"{SECRET}\n")
    file = tmp_path / "hirewire.toml"
    file.write_text(SOURCE + 'secrets.spring = { secret_file = "hr_spring" }', encoding="utf-8")
    found: Any = load(file, {}).sources["hr"].secrets["spring"]
    assert found.read() == SECRET
    secret.write_text(f"{SECRET[:-4]}AAA=\n")
    assert found.read() == f"{SECRET[:-4]}AAA="
    assert SECRET not in repr(found)
