"""`hirewire schema event`: the schema of the configured source, checked against what `send` does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from tests.worker.cli.conftest import event

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

SECOND = """
[sources.payroll]
uri = "https://payroll.example.com"
attributes = ["start_date"]
order = "integer"
"""


def test_the_printed_schema_refuses_what_send_refuses(migrated: Installation) -> None:
    lines = [
        event("ev-1", title="Engineer"),
        event("ev-2", emial="x"),
        event("ev-3", department="x"),
        event("ev-4", kind="promoted"),
        event("ev-5", title=None),
    ]
    check = Draft202012Validator(migrated.run("schema", "event").document)
    refused = {
        item["event"] for item in migrated.run("send", migrated.file(*lines), "--json").document["refusals"]
    }
    bodies = [json.loads(line) for line in lines]
    assert {body["id"] for body in bodies if not check.is_valid(body)} == refused == {"ev-2", "ev-3", "ev-4"}


def test_a_source_is_named_where_there_are_several(migrated: Installation) -> None:
    with migrated.configuration.open("a", encoding="utf-8") as file:
        file.write(SECOND)
    unsaid, wrong = migrated.run("schema", "event"), migrated.run("schema", "event", "--source", "payrol")
    assert (unsaid.code, wrong.code) == (2, 2)
    assert "--source hr or --source payroll" in unsaid.errors
    assert "did you mean payroll?" in wrong.errors
    told = migrated.run("schema", "event", "--source", "payroll", "--json").document
    assert told["$id"] == "urn:hirewire:event:payroll"
    assert "sequence" in told["required"]
