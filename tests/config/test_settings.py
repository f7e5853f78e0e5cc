"""Layers, paths, refusals: what a configuration says, and what it cannot say."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from config.settings import ConfigurationError, Engine, Settings, load
from tests.config.conftest import CANARY, TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.config.conftest import Configure, Problems

ONE_SOURCE = "each attribute has one authoritative source"
HR = '[sources.hr]\nattributes = ["email", "custom.*"]\n'


def test_an_empty_configuration_has_every_default(configure: Configure, tmp_path: Path) -> None:
    settings = configure()
    assert settings == Settings(state_dir=tmp_path / "var")
    assert settings.engine.reread_s == (2, 10)
    assert settings.intake.max_event_bytes == 262144
    assert settings.targets == {}


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(configure: Configure) -> None:
    settings = configure("[engine]\nshards = 3\nthreads = 8\n", {"HIREWIRE_ENGINE__SHARDS": "5"})
    assert (settings.engine.shards, settings.engine.threads, settings.engine.tick_items) == (5, 8, 100)


def test_a_variable_reaches_into_a_target(configure: Configure) -> None:
    prefix = "HIREWIRE_TARGETS__AWX_PROD"
    environ = {
        f"{prefix}__MAX_IN_FLIGHT": "7",
        f"{prefix}__MAPPING__FIRST_NAME": "given_name",
        f"{prefix}__ALWAYS_SEND": '["email"]',
        f"{prefix}__CREDENTIAL__SECRET": "of-the-environment",
        f"{prefix}__TLS_VERIFY": "true",
    }
    target = configure(TARGET, environ).targets["awx_prod"]
    assert target.base_url == "https://awx.example.com"
    assert target.max_in_flight == 7
    assert target.mapping == {"first_name": "given_name"}
    assert target.always_send == ("email",)
    assert target.read_secret() == "of-the-environment"
    assert target.tls_verify is True


def test_the_file_is_the_argument_else_the_variable_else_the_working_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, shards in (("one.toml", 11), ("two.toml", 12), ("hirewire.toml", 13)):
        (tmp_path / name).write_text(f"[engine]\nshards = {shards}\n")
    monkeypatch.chdir(tmp_path)
    named = {"HIREWIRE_CONFIG": "two.toml"}
    assert load(tmp_path / "one.toml", named).engine.shards == 11
    assert load(None, named).engine.shards == 12
    assert load(None, {}).engine.shards == 13
    (tmp_path / "hirewire.toml").unlink()
    assert load(None, {}).engine.shards == 2


def test_paths_count_from_the_file_and_those_of_variables_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    secret = tmp_path / "etc" / "awx"
    secret.write_text("s")
    secret.chmod(0o600)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("")
    credential = 'credential = { scheme = "bearer", secret_file = "awx" }'
    file = tmp_path / "etc" / "hirewire.toml"
    file.write_text(
        'state_dir = "state"\n[database]\nurl = "sqlite:///a.db"\n[targets.awx_prod]\nconnector = "awx"\n'
        f'base_url = "https://awx.example.com"\n{credential}\noptions = {{ picture_folder = "pictures" }}\n'
    )
    monkeypatch.chdir(tmp_path)
    settings = load(file, {"HIREWIRE_TARGETS__AWX_PROD__TLS_VERIFY": "bundle.pem"})
    assert settings.state_dir == tmp_path / "etc" / "state"
    assert settings.database.url == SecretStr(f"sqlite:///{tmp_path}/etc/a.db")
    assert settings.targets["awx_prod"].credential.secret_file == secret
    assert settings.targets["awx_prod"].tls_verify == bundle
    assert settings.targets["awx_prod"].options == {"picture_folder": str(tmp_path / "etc" / "pictures")}
    assert load(file, {"HIREWIRE_STATE_DIR": "mine"}).state_dir == tmp_path / "mine"


def test_building_settings_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIREWIRE_ENGINE__SHARDS", "9")
    monkeypatch.setenv("ENGINE", '{"shards": 9}')
    assert Settings().engine.shards == 2


def test_settings_cannot_be_changed(configure: Configure) -> None:
    settings = configure()
    with pytest.raises(ValidationError):
        settings.engine = Engine(shards=9)
    with pytest.raises(ValidationError):
        settings.engine.shards = 9  # type: ignore[misc]


def test_all_problems_come_at_once_each_with_its_path(problems: Problems) -> None:
    toml = (
        "[engin]\nshards = 1\n[engine]\nlease = 3\nthreads = 'many'\nlease_s = 10\n"
        '[sources.hr]\nattributes = ["email"]\n[sources.crm]\nattributes = ["email"]\n'
        + TARGET
        + "max_in_fligt = 1\n"
    )
    environ = {"HIREWIRE_ENGINE__SHARD": "4", "HIREWIRE_DATABSE__URL": CANARY}
    assert problems(toml, environ) == [
        "HIREWIRE_DATABSE__URL: unknown variable (did you mean HIREWIRE_DATABASE?)",
        "HIREWIRE_ENGINE__SHARD: unknown variable (did you mean HIREWIRE_ENGINE__SHARDS?)",
        "engine.threads: Input should be a valid integer, unable to parse string as an integer",
        "engine.lease: unknown key (did you mean lease_s?)",
        "targets.awx_prod.max_in_fligt: unknown key (did you mean max_in_flight?)",
        "engin: unknown key (did you mean engine?)",
        f"sources.crm.attributes: email already belongs to source hr; {ONE_SOURCE}",
    ]


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("HIREWIRE_TARGETS__AWX_PROD__MODUS", "(did you mean HIREWIRE_TARGETS__AWX_PROD__MODE?)"),
        ("HIREWIRE_STATE_DIR__X", "unknown variable"),
        ("HIREWIRE_ENGINE__SHARDS__X", "unknown variable"),
        ("HIREWIRE_", "unknown variable"),
        ("hirewire_log__level", "(did you mean HIREWIRE_LOGS?)"),
        ("HIREWIRE_CONFIG__X", "unknown variable"),
    ],
)
def test_an_unknown_variable_is_an_error(problems: Problems, variable: str, problem: str) -> None:
    (line,) = problems(TARGET, {variable: CANARY})
    assert line.startswith(f"{variable}: ")
    assert problem in line


def test_other_peoples_variables_are_left_alone(configure: Configure) -> None:
    configure("", {"HIREWIRES_X": "1", "PATH": "/bin", "HIREWIRE": "1"})


@pytest.mark.parametrize(
    ("variable", "value", "path"),
    [
        ("HIREWIRE_TARGETS__AWX_PROD__ALWAYS_SEND", "email", "targets.awx_prod.always_send"),
        ("HIREWIRE_TARGETS", "[", "targets"),
        ("HIREWIRE_ENGINE__REREAD_S", f'[1, "{CANARY}"]', "engine.reread_s[1]"),
        ("HIREWIRE_DATABASE__URL", f"mysql://root:{CANARY}@db", "database.url"),
        ("HIREWIRE_BROKER__URL", f"amqp://root:{CANARY}@mq", "broker.url"),
    ],
)
def test_a_bad_value_in_a_variable_is_named_by_its_path(
    problems: Problems, variable: str, value: str, path: str
) -> None:
    assert [line.partition(":")[0] for line in problems(TARGET, {variable: value})] == [path]


@pytest.mark.parametrize(
    "name", ["Awx", "awx__prod", "1awx", "awx-prod", "_awx", "awx_", "ä", "awx prod", ""]
)
def test_a_name_that_a_variable_could_not_address_is_refused(problems: Problems, name: str) -> None:
    (line,) = problems(TARGET.replace("awx_prod", f'"{name}"'))
    assert line.startswith(f"targets.{name}: a name must match ^[a-z]")


def test_a_file_that_is_no_toml_is_named_with_the_place_only(problems: Problems) -> None:
    (line,) = problems(f'[database]\nurl = "{CANARY}\n')
    assert line.endswith("hirewire.toml: is not TOML: look at line 2, column 26")


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "hirewire.toml"
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load(file, {})
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="it is not UTF-8 text"):
        load(file, {})


def test_no_secret_shows_in_any_representation(configure: Configure) -> None:
    environ = {
        "HIREWIRE_DATABASE__URL": f"postgresql+psycopg://u:{CANARY}@db/x",
        "HIREWIRE_BROKER__URL": f"redis://:{CANARY}@mq",
    }
    settings = configure(TARGET, environ)
    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())):
        assert CANARY not in text
    assert settings.targets["awx_prod"].read_secret() == CANARY


def test_no_secret_shows_in_a_traceback(configure: Configure) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configure(TARGET.replace('scheme = "bearer"', f'scheme = "{CANARY}"'))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        (
            f"{TARGET}[engine]\nlease_s = 25\n",
            "engine.lease_s: must exceed targets.awx_prod.timeouts.deadline_s",
        ),
        (
            "[broker]\nvisibility_timeout_s = 90\n",
            "broker.visibility_timeout_s: must exceed engine.sync_max_s",
        ),
        ("[engine]\nbackoff_base_s = 50\nbackoff_max_s = 5\n", "engine: backoff_base_s must not be above"),
        ("[engine]\ntick_s = 0\n", "engine.tick_s: Input should be greater than 0"),
        ("[engine]\ntick_s = inf\n", "engine.tick_s: Input should be a finite number"),
        (f'{HR}[sources.crm]\nattributes = ["custom.badge"]\n', "custom.badge already belongs to source hr"),
        (f'{HR}[sources.crm]\nuri = "hr"\nattributes = ["title"]\n', "crm.uri: is also the uri of source hr"),
        ('[sources.hr]\nattributes = ["email", "email"]\n', "sources.hr.attributes: email and email overlap"),
        (
            '[sources.hr]\nattributes = ["emial"]\n',
            "hr.attributes[0]: is not an attribute (did you mean email?)",
        ),
        ("[sources.hr]\nattributes = []\n", "sources.hr.attributes: must have at least one entry"),
        ("[sources.hr]\n", "sources.hr.attributes: is missing"),
        (f'{HR}mapping.title = "t"\n', "hr: mapping names attributes that `attributes` does not list: title"),
        (f'{HR}mapping.email = "a.b["\n', "sources.hr.mapping.email: is not JMESPath at position 4: 'a.b['"),
        (f'{HR}mapping.email = ""\n', "sources.hr.mapping.email: is not JMESPath"),
        (f'{HR}mapping.emial = "e"\n', "sources.hr.mapping.emial: is not an attribute (did you mean email?)"),
        (f'{HR}types.new = "hirewire.person.joind"\n', "(did you mean hirewire.person.joined?)"),
        ('[stack.sidecars.x]\ncommand = ["a"]\ntarget = "no"\n', "sidecars.x.target: there is no target no"),
        ("[stack.sidecars.x]\ncommand = []\n", "stack.sidecars.x.command: must have at least one entry"),
        (
            '[stack.sidecars.x]\ncommand = ["a"]\nport = 70000\n',
            "stack.sidecars.x.port: Input should be less",
        ),
        ("engine = 3\n", "engine: Input should be a valid dictionary"),
        ("targets = 3\n", "targets: Input should be a valid dictionary"),
        ("[targets]\nawx = 3\n", "targets.awx: Input should be a valid dictionary"),
    ],
)
def test_a_contradiction_is_refused_with_its_reason(problems: Problems, toml: str, problem: str) -> None:
    (line,) = problems(toml)
    assert problem in line


def test_two_sidecars_cannot_serve_one_target(problems: Problems) -> None:
    sidecar = '[stack.sidecars.{}]\ncommand = ["a"]\ntarget = "awx_prod"\n'
    (line,) = problems(TARGET + sidecar.format("a") + sidecar.format("b"))
    assert line == "stack.sidecars.b.target: sidecar a serves it already"


def test_a_source_is_named_by_its_own_name_unless_it_says_otherwise(configure: Configure) -> None:
    settings = configure(
        HR + '[sources.crm]\nuri = "https://crm.example.com"\nattributes = ["title"]\ningest = true\n'
    )
    assert {name: source.uri for name, source in settings.sources.items()} == {
        "hr": "hr",
        "crm": "https://crm.example.com",
    }
    assert settings.ingest_enabled_sources == {"crm"}
    assert settings.sources["hr"].owns("custom.badge")
    assert not settings.sources["hr"].owns("title")


def keep(file: Path, text: str, mode: int = 0o600) -> Path:
    file.touch(mode)
    file.chmod(mode)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("section", "url"),
    [("database", f"postgresql://app:{CANARY}@db/hirewire"), ("broker", f"redis://app:{CANARY}@broker/0")],
)
def test_an_address_can_come_from_a_file(
    section: str, url: str, tmp_path: Path, configure: Configure
) -> None:
    keep(tmp_path / "url", f"{url}\n")
    for settings in (
        configure(f'[{section}]\nurl_file = "url"'),
        configure("", {f"HIREWIRE_{section.upper()}__URL_FILE": str(tmp_path / "url")}),
    ):
        part = getattr(settings, section)
        assert part.url.get_secret_value() == url
        assert part.url_file == tmp_path / "url"
        assert CANARY not in repr(settings)


@pytest.mark.parametrize("section", ["database", "broker"])
def test_a_file_with_an_address_that_cannot_be_used_is_told(
    section: str, tmp_path: Path, problems: Problems
) -> None:
    file = tmp_path / "url"
    table = f'[{section}]\nurl_file = "url"'
    assert problems(table) == [f"{section}.url_file: cannot be read: No such file or directory ({file})"]
    keep(file, CANARY)
    (problem,) = problems(table)
    assert problem.startswith(f"{section}.url: must start with one of ")
    (problem,) = problems(f'{table}\nurl = "{CANARY}"')
    assert problem == f"{section}.url: and url_file: needs at most one of them"
    file.chmod(0o644)
    assert problems(table) == [
        f"{section}.url_file: can be read by everybody on this machine: chmod 600 {file}"
    ]
