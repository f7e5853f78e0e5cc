"""A target that could leak its token, or that owns what does not exist, is refused before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.settings import SecretError
from tests.config.conftest import CANARY, TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.config.conftest import Configure, Problems

URL = '"https://awx.example.com"'


def with_credential(credential: str) -> str:
    return TARGET.replace(f'{{ scheme = "bearer", secret = "{CANARY}" }}', f"{{ {credential} }}")


@pytest.mark.parametrize(
    "url",
    [
        "https://awx.example.com", "https://awx.example.com:8443/api", "http://127.0.0.1:8001", "http://localhost/x",
        "http://[::1]:8001", "http://sub.localhost:1", "http://127.9.9.9",
    ],
)  # fmt: skip
def test_an_address_over_tls_or_on_this_machine_is_good(configure: Configure, url: str) -> None:
    assert configure(TARGET.replace(URL, f'"{url}/"')).targets["awx_prod"].base_url == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://awx.example.com", "plain http shows our token to the network"),
        ("http://127.0.0.1.example.com", "plain http shows our token to the network"),
        ("http://localhost.example.com", "plain http shows our token to the network"),
        (f"https://admin:{CANARY}@awx.example.com", "must hold no user name or password"),
        (f"https://{CANARY}@awx.example.com", "must hold no user name or password"),
        (f"https://awx.example.com/?token={CANARY}", "must have no query"),
        ("https://awx.example.com/#top", "must have no query, fragment"),
        ("https://awx.example.com/a b", "white space"),
        ("ftp://awx.example.com", "must be http://HOST or https://HOST"),
        ("awx.example.com", "must be http://HOST or https://HOST"),
        ("https://", "must be http://HOST or https://HOST"),
        ("https://awx.example.com:0", "must be http://HOST or https://HOST"),
        ("https://awx.example.com:99999", "is not an address"),
        ("https://[::1", "is not an address"),
        ("", "is missing"),
    ],
)
def test_any_other_address_is_refused_with_the_reason(problems: Problems, url: str, reason: str) -> None:
    (line,) = problems(TARGET.replace(URL, f'"{url}"'))
    assert line.startswith("targets.awx_prod.base_url: ")
    assert reason in line


def test_a_target_that_a_sidecar_serves_needs_no_address(configure: Configure) -> None:
    toml = (
        TARGET.replace(URL, '""') + '[stack.sidecars.awx]\ncommand = ["a", "{port}"]\ntarget = "awx_prod"\n'
    )
    assert configure(toml).targets["awx_prod"].base_url == ""


@pytest.mark.parametrize("value", ["false", '"false"', '"no"', "0", '"0"', '""'])
def test_tls_cannot_be_switched_off(problems: Problems, value: str) -> None:
    (line,) = problems(f"{TARGET}tls_verify = {value}\n")
    assert line.startswith("targets.awx_prod.tls_verify: cannot be switched off: ")


@pytest.mark.parametrize("value", ['"/no/such/bundle.pem"', "7", "[]"])
def test_a_ca_bundle_must_exist(problems: Problems, value: str) -> None:
    (line,) = problems(f"{TARGET}tls_verify = {value}\n")
    assert line == "targets.awx_prod.tls_verify: must be true or the path of a CA bundle that exists"


@pytest.mark.parametrize(
    ("credential", "problem"),
    [
        ('scheme = "bearer"', ": needs exactly one of secret and secret_file"),
        (f'scheme = "basic", secret = "{CANARY}"', ": scheme basic needs a username"),
        (f'scheme = "Bearer", secret = "{CANARY}"', ".scheme: Input should be 'bearer', 'token' or 'basic'"),
        (f'secret = "{CANARY}"', ".scheme: is missing"),
        (
            f'scheme = "bearer", secret = "{CANARY}\\nX-Evil: 1"',
            ".secret: must be one line that is not empty",
        ),
        ('scheme = "bearer", secret = " "', ".secret: must be one line that is not empty"),
        (f'scheme = "bearer", secret = ["{CANARY}"]', ".secret: Input should be a valid string"),
        (f'scheme = "bearer", secert = "{CANARY}"', ".secert: unknown key (did you mean secret?)"),
    ],
)
def test_an_incomplete_credential_is_refused(problems: Problems, credential: str, problem: str) -> None:
    assert f"targets.awx_prod.credential{problem}" in problems(with_credential(credential))


def test_secret_and_secret_file_together_are_refused(problems: Problems, secret_file: Path) -> None:
    credential = f'scheme = "bearer", secret = "x", secret_file = "{secret_file}"'
    assert problems(with_credential(credential)) == [
        "targets.awx_prod.credential: needs exactly one of secret and secret_file"
    ]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"  {CANARY}\n")
    path.chmod(0o600)
    return path


def test_a_rotated_secret_is_read_at_the_next_use(configure: Configure, secret_file: Path) -> None:
    target = configure(with_credential('scheme = "bearer", secret_file = "token"')).targets["awx_prod"]
    assert target.read_secret() == CANARY
    secret_file.write_text("rotated\n")
    assert target.read_secret() == "rotated"
    secret_file.unlink()
    with pytest.raises(SecretError, match="cannot be read: No such file"):
        target.read_secret()


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"", 0o600, "is empty"),
        (b" \n ", 0o600, "is empty"),
        (CANARY.encode(), 0o604, "can be read by everybody on this machine: chmod 600"),
        (f"{CANARY}\n{CANARY}\n".encode(), 0o600, "must hold one line"),
        (b"\xff\xfe\x00", 0o600, "it is not UTF-8 text"),
    ],
)
def test_a_secret_file_that_cannot_be_trusted_is_refused(
    problems: Problems, secret_file: Path, content: bytes, mode: int, reason: str
) -> None:
    secret_file.write_bytes(content)
    secret_file.chmod(mode)
    line = problems(with_credential('scheme = "bearer", secret_file = "token"'))[0]
    assert line.startswith("targets.awx_prod.credential.secret_file: ")
    assert reason in line


def test_a_folder_is_no_secret_file(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    (line, *_) = problems(with_credential('scheme = "bearer", secret_file = "token"'))
    assert "is not a regular file" in line


@pytest.mark.parametrize(
    "expression",
    [
        "given_name",
        "custom.badge",
        '"custom.badge"',
        "join(' ', [given_name, family_name])",
        "active && contains(groups || `[]`, 'admins')",
        "groups[?starts_with(@, 'ops')] | sort(@)",
        "{a: title, b: department}",
        "manager.nothing_we_know",
        "groups[0].nothing_we_know",
        "groups[*].nothing_we_know",
        "any_transform_we_do_not_know(given_name)",
        "'a literal'",
        "",
    ],
)
def test_a_mapping_over_attributes_is_good(configure: Configure, expression: str) -> None:
    toml = TARGET + f"[targets.awx_prod.mapping]\nfirst_name = '''{expression}'''\n"
    assert configure(toml).targets["awx_prod"].mapping == {"first_name": expression}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("given_nam", "reads 'given_nam', which is not an attribute (did you mean given_name?)"),
        ("title || tittle", "(did you mean title?)"),
        ("upper(tittle)", "(did you mean title?)"),
        ("!tittle", "(did you mean title?)"),
        ("{a: tittle}", "(did you mean title?)"),
        ("tittle.x[0] | y", "(did you mean title?)"),
        ("group[?x]", "(did you mean groups?)"),
        ("tittle == 'x'", "(did you mean title?)"),
        ("given_name[", "is not JMESPath at position"),
        ("given_name ~ 'x'", "is not JMESPath at position 11"),
    ],
)
def test_a_mapping_that_reads_no_attribute_is_refused(
    problems: Problems, expression: str, reason: str
) -> None:
    (line,) = problems(TARGET + f"[targets.awx_prod.mapping]\nfirst_name = '''{expression}'''\n")
    assert line.startswith("targets.awx_prod.mapping.first_name: ")
    assert reason in line


def test_a_scope_is_checked_as_a_mapping_is(problems: Problems) -> None:
    (line,) = problems(TARGET + "scope = 'usertype == `1`'\n")
    assert (
        line
        == "targets.awx_prod.scope: reads 'usertype', which is not an attribute (did you mean user_type?)"
    )


def test_a_deadline_below_its_parts_is_refused(problems: Problems) -> None:
    (line,) = problems(TARGET + "timeouts = { read_s = 30 }\n")
    assert line == "targets.awx_prod.timeouts: deadline_s must not be below connect_s or read_s"


def test_options_of_the_style_pass_unjudged(configure: Configure) -> None:
    toml = TARGET + "[targets.awx_prod.options]\npage_size = 200\nnested = { a = [1, true] }\n"
    assert configure(toml).targets["awx_prod"].options == {"page_size": 200, "nested": {"a": [1, True]}}
