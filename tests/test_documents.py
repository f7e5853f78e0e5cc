"""What the documents say is so: commands and options exist, links lead somewhere, examples load.

A claim that a program can check is checked here; the rest is for the reader.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.core import TyperGroup

from config.sections import Engine
from config.settings import Settings, load
from config.targets import Target
from connectors.sdk.contract import Connector, ConnectorConfig, Credential, Descriptor
from connectors.sdk.fields import FieldType
from connectors.sdk.model import OutcomeKind
from connectors.sdk.registry import build, styles
from worker.cli.failures import Code
from worker.cli.main import COMMANDS
from worker.cli.main import load as command_named
from worker.domain.account import Reason, Write
from worker.domain.answer import Blame
from worker.domain.attributes import VOCABULARY
from worker.domain.event import TYPES, read_event
from worker.domain.extract import as_sent
from worker.domain.mapping import Transforms
from worker.domain.strict_json import Limits, parse
from worker.engine.configuration import CONFIGURATION_ALARM
from worker.engine.fold import ASIDE_ALARM
from worker.engine.gaps import GAP_ALARM
from worker.engine.keeper import ALARM, BRAKE_ALARM, WATCHDOG_ALARM
from worker.engine.reconciling import RECONCILE_ALARM
from worker.engine.rows import Acceptance
from worker.engine.runs import HELD_ALARM
from worker.engine.stale import STALE_ALARM
from worker.storage.seal import ALARM as SEAL_ALARM
from worker.target_rules import check_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.sdk.model import Json

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    + [*(ROOT / "docs").rglob("*.md")]
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PAGE = 60  # lines
ALARMS = {
    ALARM,
    ASIDE_ALARM,
    BRAKE_ALARM,
    CONFIGURATION_ALARM,
    GAP_ALARM,
    HELD_ALARM,
    RECONCILE_ALARM,
    SEAL_ALARM,
    STALE_ALARM,
    WATCHDOG_ALARM,
}
DEMO_LINES = 60  # "more than sixty"

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_MAKE = re.compile(r"(?:^|[\s(])make ([a-z]+)\b")
_CALL = re.compile(r"(?:^|[\s/&])hirewire ((?:[a-z]+)(?: [^|&;#\n]*)?)")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_ROW = re.compile(r"^\| (.+?) \|", re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fenced(text: str, language: str) -> list[str]:
    """The blocks of a language, without the indentation of the fence."""
    return [
        "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
        for indent, word, body in _FENCE.findall(text)
        if word == language
    ]


def code(text: str) -> Iterator[str]:
    """Each line of shell blocks, and each piece of code within a sentence."""
    for block in fenced(text, "sh"):
        yield from block.splitlines()
    yield from _SPAN.findall(_FENCE.sub("", text))


def first_cells(text: str) -> set[str]:
    """The code words of the first column of every table."""
    return {word for cell in _ROW.findall(text) for word in _SPAN.findall(cell)}


def section(text: str, heading: str) -> str:
    """From a heading to the next of its level or above."""
    level = heading.split(" ", 1)[0]
    start = text.index(f"\n{heading}\n") + 1
    end = re.search(rf"^#{{1,{len(level)}}} ", text[start + len(heading) :], re.MULTILINE)
    return text[start:] if end is None else text[start : start + len(heading) + end.start()]


def slug(heading: str) -> str:
    """As the usual renderers make anchors."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


@cache
def make_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):.*## ", read("Makefile"), re.MULTILINE))


def calls() -> list[tuple[str, str]]:
    """Document and words of each `hirewire …` in it."""
    return [
        (label(path), words.strip())
        for path in DOCUMENTS
        for piece in code(path.read_text(encoding="utf-8"))
        for words in _CALL.findall(piece)
    ]


def options_of(words: list[str]) -> set[str]:
    """The options of the command that the first words name. Raises KeyError where there is none."""
    if words[0] not in COMMANDS:
        raise KeyError(words[0])
    found: Any = command_named(words[0])
    if isinstance(found, TyperGroup) and len(words) > 1 and words[1] in found.commands:
        found = found.commands[words[1]]
    return {option for parameter in found.params for option in parameter.opts} | {"--help"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = {name for piece in code(text) for name in _MAKE.findall(piece)}
    assert named - make_targets() == set()


def test_contributing_names_every_make_target() -> None:
    named = {name for piece in code(read("CONTRIBUTING.md")) for name in _MAKE.findall(piece)}
    assert named == make_targets()


def test_commands_are_named_in_the_documents() -> None:
    assert {words.split()[0] for _, words in calls()} == set(COMMANDS)


@pytest.mark.parametrize(("document", "words"), sorted(set(calls())))
def test_every_command_and_option_that_is_named_exists(document: str, words: str) -> None:
    parts = words.split()
    known = options_of(parts)
    used = {part.partition("=")[0] for part in re.sub(r'"[^"]*"', "", words).split() if part.startswith("--")}
    assert used - known == set(), document


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = _LINK.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))
    ours = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in ours if not leads_somewhere(path, link)] == []


def leads_somewhere(document: Path, link: str) -> bool:
    """To a file of this project and, with an anchor, to a heading in it."""
    place, _, anchor = link.partition("#")
    target = (document.parent / place).resolve() if place else document
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in map(slug, _HEADING.findall(target.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_file_that_is_named_as_code_exists(path: Path) -> None:
    ours = re.compile(r"(?:worker|connectors|config|tests|docs|scripts)/[\w./]+(?:\.\w+|/)")
    named = {piece for piece in code(path.read_text(encoding="utf-8")) if ours.fullmatch(piece)}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_each_test_that_proves_a_guarantee_exists() -> None:
    table = section(read("README.md"), "## What is guaranteed, and by which test")
    rows = [row for row in table.splitlines() if row.startswith("| ")][2:]
    assert rows
    for row in rows:
        tests = _TEST.findall(row)
        assert tests, f"no test proves: {row}"
        for file, name in tests:
            assert name in proofs_in(ROOT / file), f"{file}::{name}"


@cache
def proofs_in(file: Path) -> frozenset[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    written = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    adopted = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(written | {name for name in adopted if name.startswith("test_")})


def configurations() -> list[tuple[str, str]]:
    return [
        (label(path), block)
        for path in DOCUMENTS
        for block in fenced(path.read_text(encoding="utf-8"), "toml")
    ]


def loaded(block: str, folder: Path) -> Settings:
    """The settings of an example; the secret files that it names are there."""
    for name in re.findall(r'secret_file = "([^"]+)"', block):
        secret = folder / name
        secret.parent.mkdir(exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text("whsec_YW4gZXhhbXBsZSBvZiBhIHNlY3JldCwgMzIgYnl0ZXM=\n", encoding="utf-8")
    file = folder / "hirewire.toml"
    file.write_text(block, encoding="utf-8")
    return load(file, {})


@pytest.mark.parametrize(("document", "block"), configurations())
def test_every_configuration_that_is_shown_loads(document: str, block: str, tmp_path: Path) -> None:
    settings = loaded(block, tmp_path)
    check_targets(settings)
    assert document


def test_the_first_configuration_observes_and_protects(tmp_path: Path) -> None:
    settings = loaded(fenced(read("README.md"), "toml")[0], tmp_path)
    assert {target.mode for target in settings.targets.values()} == {"observe"}
    assert all(target.protected.usernames for target in settings.targets.values())


def test_the_example_event_is_taken_by_the_example_source(tmp_path: Path) -> None:
    source = loaded(fenced(read("README.md"), "toml")[0], tmp_path).sources["hr"]
    body = parse(fenced(read("README.md"), "json")[0].encode(), Limits())
    assert isinstance(body, dict)
    assert body["source"] == source.uri
    event = read_event(body, "hr", source, as_sent)
    assert {"family_name", "department", "custom.badge"} == set(event.assertions)


def test_the_requirements_of_an_event_name_every_type_and_limit() -> None:
    text = section(read("README.md"), "## What a sender of events must do")
    assert [name for name in TYPES if f"`{name}`" not in text] == []
    limits = Limits()
    numbers = (limits.max_bytes, limits.max_depth, limits.max_keys, limits.max_string)
    assert [number for number in numbers if f"{number:,} " not in text] == []


def test_what_the_readme_says_of_the_demo_is_so() -> None:
    assert "sends the more than sixty lines of" in read("README.md")
    assert len(read("config/demo/events.ndjson").splitlines()) > DEMO_LINES
    sandbox = tomllib.loads(read("config/demo/sandbox.toml"))
    served = {sidecar["target"] for sidecar in sandbox["stack"]["sidecars"].values()}
    assert served == set(sandbox["targets"])


def described() -> dict[str, str]:
    """Style -> heading of its field table in the README."""
    headings = _HEADING.findall(read("README.md"))
    return {style: heading for heading in headings for style in re.findall(r'`connector = "(\w+)"`', heading)}


def test_every_connector_is_described_or_said_to_be_unfinished() -> None:
    unfinished = set(_SPAN.findall(section(read("README.md"), "## Not yet")))
    assert set(styles()) - set(described()) - unfinished == set()
    assert unfinished & set(described()) == set()


@pytest.mark.parametrize("style", sorted(described()))
def test_the_field_table_of_each_connector_is_whole(style: str) -> None:
    is_whole(section(read("README.md"), f"### {described()[style]}"), styles()[style].descriptor)


def test_the_field_table_of_the_tokens_owner_is_whole() -> None:
    table = section(read("docs/connectors/staff_users.md"), "## The token's owner")
    is_whole(table, built("staff_users", {"endpoint": "me"}).descriptor)


def is_whole(table: str, descriptor: Descriptor) -> None:
    """Every field has its row, with the default mapping, the longest value and its privilege."""
    assert {field.name for field in descriptor.fields} == first_cells(table)
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    rows = {name: line for line in lines for name in _SPAN.findall(line.split(" | ")[0])}
    for field in descriptor.fields:
        assert (
            _ability(
                field.name, descriptor.default_mapping, fixed=field.read_only or bool(field.never_mapped)
            )
            in (rows[field.name])
        )
        assert field.max_length is None or field.never_mapped or str(field.max_length) in rows[field.name]
        assert not field.privileged or "privileged" in rows[field.name]


def abilities() -> dict[str, list[str]]:
    """Style -> the cells of its row in the table of systems, without the system and the page."""
    text = section(read("README.md"), "## What it can and cannot do with each system")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| [\w ]+ \(`", line)]
    return {_SPAN.findall(row[0])[0]: row[1:-1] for row in rows}


def test_what_each_system_can_is_told_and_no_more() -> None:
    """Deactivates, demotes, creates, deletes, groups, pictures."""
    known = {}
    for style, connector in styles().items():
        can = connector.descriptor
        sets = any(field.type is FieldType.NAME_SET for field in can.fields)
        opaque = any(field.opaque for field in can.fields)
        does = [can.active_field is not None, can.can_demote, can.can_create, can.can_delete]
        known[style] = [*does, sets, opaque]
    assert abilities() == {style: ["yes" if able else "no" for able in row] for style, row in known.items()}


def built(style: str, options: dict[str, Json]) -> Connector:
    config = ConnectorConfig(
        "example", "https://api.example.com", lambda: Credential("token", "x"), options=options
    )
    return build(style, config)


def page_of(style: str) -> str:
    return f"docs/connectors/{style}.md"


def options_told(style: str) -> set[str]:
    text = read(page_of(style))
    return first_cells(section(text, "## Options")) if "\n## Options\n" in text else set()


@pytest.mark.parametrize("style", sorted(styles()))
def test_every_connector_has_a_page_that_the_readme_leads_to(style: str) -> None:
    assert f"({page_of(style)})" in read("README.md")
    headings = set(_HEADING.findall(_FENCE.sub("", read(page_of(style)))))
    assert {"Configuration", "What it does", "Readings", "What it never does", "Limits"} <= headings
    assert f'connector = "{style}"' in fenced(read(page_of(style)), "toml")[0]


@pytest.mark.parametrize("style", sorted(styles()))
def test_every_option_that_a_page_tells_is_judged_and_the_others_are_told(style: str) -> None:
    """A value that can never be one is refused; what the source asks its options for is on the page."""
    for option in options_told(style):
        with pytest.raises(ValueError, match=rf"options\.{option} "):
            built(style, {option: 0})
    source = read(f"connectors/{style}.py")
    asked = re.findall(
        r'(?:configured_names|named_ids|options\.get)\((?:options, |config\.options or \{\}, )?"(\w+)"',
        source,
    )
    assert set(asked) - options_told(style) == set()


def _ability(name: str, mapping: Mapping[str, str], *, fixed: bool) -> str:
    """The words of the second column."""
    if fixed:
        return "| never |"
    expression = mapping.get(name, "").replace("|", "\\|")  # as a table has to write it
    return f"`{expression}`" if name in mapping else "| if mapped"


def test_the_contract_of_connectors_is_told_whole() -> None:
    table = section(read("docs/connectors.md"), "## The contract")
    methods = {name for name in vars(Connector) if not name.startswith("_")}
    assert {word.partition("(")[0] for word in first_cells(table)} == methods


@pytest.mark.parametrize("name", ["README.md", "docs/operations.md"])
def test_every_exit_code_is_told(name: str) -> None:
    text = section(read(name), "### Exit codes")
    assert [code.value for code in Code if not re.search(rf"\b{code.value}\b", text)] == []


def test_the_glossary_has_every_word_of_the_code() -> None:
    text = read("docs/glossary.md")
    assert first_cells(section(text, "## Reasons of holds")) == {reason.value for reason in Reason}
    assert first_cells(section(text, "## Outcomes")) == {kind.value for kind in OutcomeKind}
    words = first_cells(section(text, "## Attributes"))
    assert words == VOCABULARY | {"custom.NAME"}
    others = {acceptance.value for acceptance in Acceptance} | {
        blame.value for blame in Blame if blame is not Blame.NOBODY
    }
    assert [
        write.value
        for write in Write
        if not re.search(rf"^\| `write` .*\b{write.value}\b", text, re.MULTILINE)
    ] == []
    assert [word for word in sorted(others) if f"`{word}`" not in text] == []


def test_the_glossary_has_every_transform() -> None:
    names = {name.removeprefix("_func_") for name in vars(Transforms) if name.startswith("_func_")}
    assert names
    assert [name for name in sorted(names) if f"`{name}`" not in read("docs/glossary.md")] == []


def test_no_word_stands_twice_in_one_table_of_the_glossary() -> None:
    for part in read("docs/glossary.md").split("\n## ")[1:]:
        words = [row for row in _ROW.findall(part) if row.startswith("`")]
        assert len(words) == len(set(words)), part.splitlines()[0]


def test_operations_has_a_way_out_of_every_hold_and_alarm() -> None:
    text = read("docs/operations.md")
    held = first_cells(section(text, "## Held fields, and the way out"))
    assert {reason.value for reason in Reason} <= held
    assert first_cells(section(text, "## Alarms")) == ALARMS


def test_the_architecture_tells_what_every_outcome_does() -> None:
    table = section(read("docs/architecture.md"), "## What an answer means")
    assert first_cells(table) == {kind.value for kind in OutcomeKind}


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_option_of_the_engine_that_is_named_exists(path: Path) -> None:
    pieces = [*code(path.read_text(encoding="utf-8"))]
    named = {name for piece in pieces for name in re.findall(r"\bengine\.([a-z_]+)\b(?!\.)", piece)}
    assert named - set(Engine.model_fields) - {"py"} == set()
    timed = {piece for piece in pieces if re.fullmatch(r"[a-z_]+_s", piece)}
    assert timed - set(Engine.model_fields) - set(Target.model_fields) == set()


@pytest.mark.parametrize("path", DECISIONS, ids=label)
def test_a_decision_is_one_page_of_four_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name[:4]}. ")
    parts = ["Context", "Decision", "Consequences", "How to undo it"]
    assert _HEADING.findall(text)[1:] == parts
    assert len(text.splitlines()) <= PAGE


@pytest.mark.parametrize("path", DECISIONS, ids=label)
def test_the_packages_of_a_decision_are_locked(path: Path) -> None:
    line = next(
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("Packages: ")
    )
    locked = set(re.findall(r"^([\w.-]+)==", read("requirements-dev.lock"), re.MULTILINE))
    assert set(_SPAN.findall(line)) - locked == set()


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", read("docs/decisions/README.md"))
    assert listed == [path.name for path in DECISIONS]


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_a_document_is_text_that_every_reader_can_show(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("```") % 2 == 0
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert len(_HEADING.findall(_FENCE.sub("", text))) >= 1
    for block in fenced(text, "json"):
        json.loads(block)
