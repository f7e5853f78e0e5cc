"""The descriptor is whole and agrees with itself and with the API's document."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from connectors.sdk.fields import Field, FieldError, FieldType, encode
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, declares, declaring, documented
from connectors.sdk.testing.samples import Documented, may_own

RIGHTS: Final = re.compile(
    r"(is_)?(super_?user|staff|admin|system_auditor)|groups|user_permissions|permissions|roles?|scopes"
)
SETS: Final = frozenset({FieldType.ID_SET, FieldType.NAME_SET, FieldType.OBJECT, FieldType.JSON})


@check()
def says_what_it_is(bench: Bench) -> None:
    """A style, a title and a document have names. Catches a descriptor that was filled in halfway."""
    said = {name: getattr(bench.descriptor, name) for name in ("style", "title", "document")}
    empty = [name for name, text in said.items() if not text.strip()]
    assert not empty, f"the descriptor's {', '.join(empty)} must not be empty"


@check()
def fields_are_listed_once(bench: Bench) -> None:
    """Each field has one row. Catches two rows of which one is never read."""
    counts = Counter(field.name for field in bench.descriptor.fields)
    twice = [name for name, count in counts.items() if count > 1]
    assert not twice, f"these fields have two rows in the descriptor: {', '.join(twice)}"


@check()
def fields_name_their_source(bench: Bench) -> None:
    """Each row says where it was read. Catches a refusal that refers to nothing."""
    nameless = [field.name for field in bench.descriptor.fields if not field.source.strip()]
    assert not nameless, f"these fields do not say which document they are read from: {', '.join(nameless)}"


@check()
def limits_can_be_kept(bench: Bench) -> None:
    """Limits, patterns and choices leave some value. Catches a field that refuses everything."""
    for field in filter(may_own, bench.descriptor.fields):
        low, high = field.min_length or 0, field.max_length
        assert high is None or low <= high, f"{field.name}: at least {low} and at most {high} is nothing"
        refused = [choice for choice in field.choices if not _takes(field, choice)]
        assert not refused, f"{field.name}: its own choices {refused} are refused by its other rules"


@check()
def mapped_fields_exist(bench: Bench) -> None:
    """The default mapping names fields of the table. Catches a mapping that no target can load."""
    unknown = [name for name in bench.descriptor.default_mapping if bench.descriptor.field(name) is None]
    assert not unknown, f"`default_mapping` names what is no field: {', '.join(unknown)}"


@check()
def mapped_fields_are_writable(bench: Bench) -> None:
    """Nobody owns what cannot be written. Catches a mapping whose every change is refused."""
    fixed = [field.name for field in _mapped(bench) if not may_own(field)]
    assert not fixed, f"`default_mapping` names fields that are never written: {', '.join(fixed)}"


@check()
def mapped_fields_grant_nothing(bench: Bench) -> None:
    """Rights are owned only where a target says so. Catches rights that a default hands out."""
    rights = [field.name for field in _mapped(bench) if field.privileged]
    assert not rights, f"`default_mapping` owns rights ({', '.join(rights)}): only a target may decide that"


@check()
def correlation_is_mapped(bench: Bench) -> None:
    """What people are found by comes from HR. Catches a search that never has a value."""
    name = bench.descriptor.correlation
    assert name in bench.descriptor.default_mapping, f"the correlation field {name!r} is not mapped"


@check()
def correlation_is_unique(bench: Bench) -> None:
    """Two accounts never share it. Catches people who are found as each other."""
    field = bench.descriptor.field(bench.descriptor.correlation)
    assert field is not None, f"the correlation field {bench.descriptor.correlation!r} is no field"
    assert field.unique, f"the correlation field {field.name!r} must be `unique`"


@check(needs=declaring(lambda descriptor: descriptor.active_field is not None))
def active_field_is_a_writable_boolean(bench: Bench) -> None:
    """Deactivating is writing false. Catches a flag that cannot be set, or is no flag."""
    field = bench.descriptor.field(bench.descriptor.active_field or "")
    assert field is not None, f"`active_field` {bench.descriptor.active_field!r} is no field"
    assert field.type is FieldType.BOOLEAN, (
        f"`active_field` {field.name!r} is {field.type.value}, not boolean"
    )
    assert may_own(field), f"`active_field` {field.name!r} cannot be written"


@check(needs=declaring(lambda descriptor: descriptor.active_field is not None))
def active_field_is_mapped(bench: Bench) -> None:
    """A leaver is deactivated without further configuration. Catches leavers that stay."""
    name = bench.descriptor.active_field
    assert name in bench.descriptor.default_mapping, f"`active_field` {name!r} is not in `default_mapping`"


@check(needs=declaring(lambda descriptor: bool(descriptor.containers)))
def containers_are_sets(bench: Bench) -> None:
    """What is replaced whole is a list or an object of the table. Catches a misspelt container, whose
    foreign members would be lost.
    """
    for name in bench.descriptor.containers:
        field = bench.descriptor.field(name)
        assert field is not None, f"`containers` names {name!r}, which is no field"
        assert field.type in SETS, f"`containers` names {name!r}, which is {field.type.value}"


@check(needs=declares(lambda field: may_own(field) and field.type is FieldType.NAME_SET))
def writable_sets_are_containers(bench: Bench) -> None:
    """A list of names is written whole, so that foreign members must be read first. Catches a list that
    is not declared so.
    """
    sets = (field for field in bench.descriptor.fields if field.type is FieldType.NAME_SET and may_own(field))
    missing = [field.name for field in sets if field.name not in bench.descriptor.containers]
    assert not missing, f"{', '.join(missing)}: lists of names that are written belong into `containers`"


@check(needs=declares(lambda field: may_own(field) and RIGHTS.fullmatch(field.name) is not None))
def rights_are_privileged(bench: Bench) -> None:
    """Whatever says who may do what is guarded. Catches an administrator made by an HR event."""
    named = (field for field in bench.descriptor.fields if RIGHTS.fullmatch(field.name) and may_own(field))
    open_now = [field.name for field in named if not field.privileged]
    assert not open_now, f"{', '.join(open_now)}: rights must be `privileged`"


@check(needs=declaring(lambda descriptor: descriptor.superuser_field is not None))
def superuser_field_is_a_boolean(bench: Bench) -> None:
    """The last superuser is counted by a flag. Catches a field that tells nothing of the kind."""
    field = bench.descriptor.field(bench.descriptor.superuser_field or "")
    assert field is not None, f"`superuser_field` {bench.descriptor.superuser_field!r} is no field"
    assert field.type is FieldType.BOOLEAN, f"`superuser_field` {field.name!r} is {field.type.value}"


@check()
def descriptor_holds_for_its_connectors(bench: Bench) -> None:
    """A connector is of the style that built it. Catches the descriptor of a neighbour, copied."""
    told = bench.connector().descriptor.style
    assert told == bench.style.descriptor.style, f"a connector of {bench.style.descriptor.style} is {told!r}"


@check(needs=documented)
def documented_fields_are_declared(bench: Bench) -> None:
    """Every row of the document has its own. Catches a field that was overlooked."""
    declared = {field.name for field in bench.descriptor.fields}
    missing = sorted(set(bench.document or {}) - declared)
    assert not missing, f"the document has {', '.join(missing)}, the descriptor has not"


@check(needs=documented)
def writable_fields_are_documented(bench: Bench) -> None:
    """Nothing is written that no document names. Catches a field that was guessed."""
    guessed = [field.name for field in filter(may_own, bench.descriptor.fields)]
    guessed = [name for name in guessed if name not in (bench.document or {})]
    assert not guessed, f"no document says that {', '.join(guessed)} may be written"


@check(needs=documented)
def types_are_those_of_the_document(bench: Bench) -> None:
    """Catches a number that is sent as text."""
    for field, row in _rows(bench):
        assert field.type is row.type, f"{field.name}: the document says {row.type.value}"


@check(needs=documented)
def choices_are_those_of_the_document(bench: Bench) -> None:
    """No choice that the document lacks. Catches a value that is always refused."""
    for field, row in _rows(bench):
        told = f"the document's choices are {row.choices}, the descriptor's {field.choices}"
        assert set(field.choices) <= set(row.choices), f"{field.name}: {told}"
        assert bool(field.choices) == bool(row.choices), f"{field.name}: {told}"


@check(needs=documented)
def limits_are_those_of_the_document(bench: Bench) -> None:
    """Catches a value that every request carries in vain."""
    for field, row in _rows(bench):
        told = f"the document allows {row.max_length} characters, the descriptor {field.max_length}"
        assert row.max_length is None or field.max_length == row.max_length, f"{field.name}: {told}"


@check(needs=documented)
def read_only_fields_are_those_of_the_document(bench: Bench) -> None:
    """What the document marks read-only is never written. Catches a field that the server ignores."""
    for field, row in _rows(bench):
        assert field.read_only == row.read_only, (
            f"{field.name} is {'read-only' if row.read_only else 'writable'} in the document"
        )


def _mapped(bench: Bench) -> list[Field]:
    fields = (bench.descriptor.field(name) for name in bench.descriptor.default_mapping)
    return [field for field in fields if field is not None]


def _rows(bench: Bench) -> list[tuple[Field, Documented]]:
    """The fields that both the descriptor and the document have."""
    fields = ((bench.descriptor.field(name), row) for name, row in (bench.document or {}).items())
    return [(field, row) for field, row in fields if field is not None]


def _takes(field: Field, value: str) -> bool:
    try:
        encode(field, value)
    except FieldError:
        return False
    return True
