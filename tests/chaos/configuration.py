"""The configuration file of a run: the issue's chaos profile, three targets, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.chaos.profile import DEADLINE_S, READ_S
from tests.chaos.scenario import SOURCE, Scenario, subject_of, value_of

SHARDS = 2

_ENGINE = """
[engine]
shards = {shards}
threads = 8
relay_every_s = 0.5
signal_ttl_s = 1
lease_s = 6
late_effect_s = 3
revocation_recheck_s = 2
reread_s = [0.3, 0.6]
backoff_base_s = 0.2
backoff_max_s = 10
probe_every_s = 0.5
brake_min = 5
brake_share = 0.05

[sources.hr]
uri = "{source}"
order = "time"
attributes = [
    "user_name", "given_name", "family_name", "email", "phone_number", "active", "department", "title",
    "custom.*",
]
"""

_TARGET = """
[targets.{name}]
connector = "{name}"
base_url = "{url}"
mode = "enforce"
max_in_flight = 12
credential = {{ scheme = "{scheme}", secret_file = "{secret_file}" }}
timeouts = {{ connect_s = 1, read_s = {read_s:g}, deadline_s = {deadline_s:g} }}
protected = {{ usernames = [{protected}] }}
{more}
"""

_MORE = {
    "awx": """
mapping = { is_superuser = "custom.operations_admin" }
privileged = { is_superuser = "deny" }
""",
    "authentik": """
[targets.authentik.mapping]
"attributes.department" = "department"
"attributes.title" = "title"
"attributes.phone" = "phone_number"
""",
    "staff_users": "",
}


def write(folder: Path, scenario: Scenario, urls: Mapping[str, str]) -> Path:
    """`hirewire.toml` in `folder`, and a secret file for each target. `urls`: target -> base URL."""
    text = _ENGINE.format(shards=SHARDS, source=SOURCE)
    people = sorted(scenario.cast.protected)
    protected = ", ".join(f'"{value_of("user_name", person, 0)}"' for person in people)
    for name, url in urls.items():
        secret = folder / f"{name}.secret"
        secret.write_text(scenario.canaries.tokens[name] + "\n", encoding="utf-8")
        secret.chmod(0o600)
        text += _TARGET.format(
            name=name,
            url=url,
            scheme="token" if name == "staff_users" else "bearer",
            secret_file=secret,
            read_s=READ_S,
            deadline_s=DEADLINE_S,
            protected=protected,
            more=_MORE[name],
        )
    file = folder / "hirewire.toml"
    file.write_text(text, encoding="utf-8")
    return file


def protected_subjects(scenario: Scenario) -> set[str]:
    return {subject_of(person) for person in scenario.cast.protected}
