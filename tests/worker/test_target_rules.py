"""What only a connector knows of a target's configuration: every problem has a line with its path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.settings import Audit, ConfigurationError, Settings
from connectors.awx import AwxConnector
from connectors.sdk.registry import style_named, styles
from worker.domain.policy import Policy
from worker.target_rules import (
    check_targets,
    connector_config,
    merged_mapping,
    problems_of,
    rules,
    sensitive_attributes,
)

SECRET = "canary-of-a-secret"


def settings_of(*targets: dict[str, Any]) -> Settings:
    base = {
        "connector": "awx",
        "base_url": "https://awx.example.com",
        "credential": {"scheme": "bearer", "secret": SECRET},
    }
    return Settings.model_validate({"targets": {f"t{n}": base | more for n, more in enumerate(targets)}})


def problems(**options: Any) -> list[str]:
    return list(problems_of("t0", settings_of(options).targets["t0"]))


def policy(**options: Any) -> Policy:
    target = settings_of(options).targets["t0"]
    return rules("t0", target, style_named(target.connector).descriptor, Audit())


NO_FIELD = "AWX has no such field"
DJANGO = {"connector": "django_admin"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"connector": "awxx"}, "connector: unknown connector 'awxx': did you mean 'awx'?"),
        ({"mapping": {"user_name": "user_name"}}, f"mapping.user_name: {NO_FIELD}, did you mean 'username'?"),
        ({"mapping": {"shoe": "custom.shoe"}}, f"mapping.shoe: {NO_FIELD}"),
        ({"always_send": ["email", "last_nam"]}, f"always_send[1]: {NO_FIELD}, did you mean 'last_name'?"),
        ({"correlation": "emial"}, f"correlation: {NO_FIELD}, did you mean 'email'?"),
        (
            {"privileged": {"is_superusr": "deny"}},
            f"privileged.is_superusr: {NO_FIELD}, did you mean 'is_superuser'?",
        ),
        (
            {"privileged": {"email": "deny"}},
            "privileged.email: is not a privileged field of AWX (those are is_superuser, is_system_auditor)",
        ),
        (
            {"mapping": {"id": "employee_number"}},
            "mapping.id: is read-only at AWX (AWX users API, PATCH /api/v2/users/{id}/)",
        ),
        ({"base_url": ""}, "base_url: is missing"),
        (
            {"mapping": {"username": ""}},
            "correlation: 'username' needs a mapping, accounts are found by it",
        ),
        ({"leaver": "deactivate"}, "leaver: AWX cannot deactivate with this mapping, say hold"),
        (
            DJANGO | {"leaver": "deactivate", "mapping": {"is_active": ""}},
            "leaver: Django admin users cannot deactivate with this mapping, say hold",
        ),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_a_problem_is_one_line_with_its_path(options: dict[str, Any], expected: str) -> None:
    assert problems(**options) == [f"targets.t0.{expected}"]


@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize(
    ("options", "ability"),
    [
        ({"leaver": "demote"}, "can_demote"),
        ({"leaver": "delete"}, "can_delete"),
        ({"on_missing": "create"}, "can_create"),
    ],
)
def test_what_a_style_cannot_do_is_refused_and_only_that(
    style: str, options: dict[str, str], ability: str
) -> None:
    able = getattr(style_named(style).descriptor, ability)
    told = [line.partition(": ")[0] for line in problems(connector=style, **options)]
    assert told == ([] if able else [f"targets.t0.{option}" for option in options])


def test_a_password_may_never_be_mapped() -> None:
    (line,) = problems(mapping={"password": "custom.password"})
    assert line.startswith("targets.t0.mapping.password: may not be mapped: HR data holds no passwords")


@pytest.mark.parametrize(
    "options",
    [
        {},
        DJANGO,
        {"correlation": "email", "mapping": {"is_superuser": "custom.chief"}},
        {"privileged": {"is_superuser": "allow"}, "always_send": ["email"], "leaver": "hold"},
        DJANGO | {"leaver": "deactivate", "on_missing": "ignore"},
    ],
)
def test_a_good_target_has_no_problem(options: dict[str, Any]) -> None:
    assert problems(**options) == []
    check_targets(settings_of(options))


def test_all_problems_of_all_targets_are_told_at_once_without_a_secret() -> None:
    bad = settings_of({"connector": "ldap"}, {}, {"base_url": "", "mapping": {"nick": "user_name"}})
    with pytest.raises(ConfigurationError) as refused:
        check_targets(bad)
    paths = [line.partition(": ")[0] for line in refused.value.problems]
    assert paths == ["targets.t0.connector", "targets.t2.mapping.nick", "targets.t2.base_url"]
    assert SECRET not in str(refused.value)


def test_an_empty_expression_disowns_a_field_and_the_rest_stays_the_connectors() -> None:
    target = settings_of({"mapping": {"email": "", "last_name": "upper(family_name)"}}).targets["t0"]
    default = style_named("awx").descriptor.default_mapping
    expected = {**default, "last_name": "upper(family_name)"}
    del expected["email"]
    assert merged_mapping(target, style_named("awx").descriptor) == expected


def test_only_fields_that_are_mapped_or_always_sent_are_owned() -> None:
    assert "email" in policy().fields
    assert "email" not in policy(mapping={"email": ""}).fields
    assert "is_superuser" not in policy().fields
    assert "is_superuser" in policy(always_send=["is_superuser"]).fields


@pytest.mark.parametrize(
    ("options", "leaver"),
    [
        ({}, "hold"),
        (DJANGO, "deactivate"),
        (DJANGO | {"mapping": {"is_active": ""}}, "hold"),
        (DJANGO | {"leaver": "hold"}, "hold"),
    ],
)
def test_a_leaver_is_deactivated_where_the_target_can_and_held_elsewhere(
    options: dict[str, Any], leaver: str
) -> None:
    assert policy(**options).leaver == leaver


def test_a_new_target_only_observes() -> None:
    assert policy().observe_only
    assert not policy(mode="enforce").observe_only


def test_protected_names_and_ids_are_part_of_the_policy() -> None:
    found = policy(protected={"usernames": ["admin"], "ids": ["1"]})
    assert (found.protected_names, found.protected_ids) == (frozenset({"admin"}), frozenset({"1"}))


def test_a_rotated_secret_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    file.chmod(0o600)
    target = settings_of({"credential": {"scheme": "bearer", "secret_file": str(file)}}).targets["t0"]
    config = connector_config("t0", target)
    assert config.credential().secret == "first"
    file.write_text("second\n")
    assert config.credential().secret == "second"


def test_the_connector_gets_the_targets_own_times_and_trust(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    options = {"timeouts": {"connect_s": 1, "read_s": 2, "deadline_s": 3}, "tls_verify": str(bundle)}
    target = settings_of(options | {"max_in_flight": 9}).targets["t0"]
    config = connector_config("t0", target)
    times = config.timeouts
    assert (times.connect_s, times.read_s, times.deadline_s) == (1, 2, 3)
    assert (config.verify, config.pool_size) == (str(bundle), 9)
    assert SECRET not in repr(config)


def test_managed_names_a_set_of_names() -> None:
    (line,) = problems(managed={"username": ["a"]})
    assert line.startswith("targets.t0.managed.username: is not a set of names at ")


def test_bad_options_of_a_style_are_told_with_their_place() -> None:
    (line,) = problems(**DJANGO, options={"find_page_cap": "many"})
    assert line.startswith("targets.t0.options: ")


@pytest.mark.parametrize(("option", "value"), [("leaver", "demote"), ("leaver", "delete")])
def test_what_a_style_cannot_do_with_a_leaver_is_refused(option: str, value: str) -> None:
    (line,) = problems(**DJANGO, **{option: value})
    assert line.startswith("targets.t0.leaver: Django admin")


def test_an_attribute_is_sensitive_where_a_field_that_shows_it_is() -> None:
    staff = {"connector": "staff_users", "mapping": {"mobile_number": "trim(custom.mobile)"}}
    assert sensitive_attributes(settings_of({}, staff)) == {"custom.mobile", "gender"}


def test_a_schedule_needs_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = replace(AwxConnector.descriptor, can_scan=False)
    monkeypatch.setattr(AwxConnector, "descriptor", blind)
    assert problems() == []
    told = "targets.t0.reconcile.schedule: AWX has no listing to compare with"
    assert problems(reconcile={"schedule": "30 2 * * *"}) == [told]
