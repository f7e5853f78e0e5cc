"""The JSON Schema (draft 2020-12) of an event, made from what `read_event` itself goes by.

What the schema takes is taken, and what is refused for its form the schema refuses, except for what a
schema cannot say or a parser hides from it: the bytes of a whole event and its depth, a key given twice,
a lone surrogate, NaN (which is no JSON, but some parsers take it), an integer beyond 2^53 that a parser
rounded, a time that its offset leads out of the years 1 to 9999, and what a source's mapping makes of
vendor data. An id used before, or a time ahead, is no matter of form. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connectors.sdk.model import Json
from worker.domain import attributes
from worker.domain.attributes import CUSTOM, CUSTOM_NAME
from worker.domain.calendar_text import END, whole
from worker.domain.event import (
    IMPLIED_ACTIVE,
    INTEGER,
    MAX_NAME,
    MEDIA_TYPE,
    TIME,
    TYPES,
    SourceRules,
)
from worker.domain.strict_json import MAX_SAFE_INTEGER, Limits

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LAST_SPACE = 0x3000  # no white space comes after it in Unicode
_NO_NUL = f"^[^\\u0000]*{END}"
_SOMEBODY = "E1001"
_EXAMPLES: Mapping[str, Json] = {"given_name": "Mira", "department": None, "active": True}


def event_schema(name: str, uri: str, rules: SourceRules, limits: Limits, *, mapped: bool) -> dict[str, Json]:
    """The schema of this source's events. `mapped`: its `data` is vendor data that a mapping reads."""
    properties = _envelope(uri, rules, mapped=mapped)
    return {
        "$schema": DIALECT,
        "$id": f"urn:hirewire:event:{name}",
        "title": f"An event of the source {name}",
        "description": "A CloudEvents 1.0 object in JSON, as Hirewire takes it. " + _payload(rules.payload),
        "type": "object",
        "required": [key for key in properties if key not in ("datacontenttype", "data_base64")],
        "properties": properties,
        "$ref": "#/$defs/kept",
        "$defs": {"kept": _kept(limits), "name": _name()},
        "examples": [_example(uri, kind, rules, mapped=mapped) for kind in _kinds(rules)],
    }


def _payload(payload: str) -> str:
    if payload == "snapshot":
        return "An attribute that `data` leaves out is cleared if this source said it before."
    return "An attribute that `data` leaves out stays as it is."


def _envelope(uri: str, rules: SourceRules, *, mapped: bool) -> dict[str, Json]:
    """The properties; all but those of the content are required."""
    name: dict[str, Json] = {"$ref": "#/$defs/name"}
    fields: dict[str, Json] = {
        "specversion": {"const": "1.0"},
        "id": {
            **name,
            "description": "Unique within the source: the same id with the same body is a duplicate.",
        },
        "source": {**name, "const": uri},
        "type": {**name, "enum": [*type_names(rules)], "description": _types(rules)},
        "subject": _subject(rules.subjects),
        "time": {**name, "format": "date-time", "pattern": whole(TIME.pattern), "description": "RFC 3339."},
        "datacontenttype": {"type": "string", "pattern": _media_type()},
        "data_base64": False,
        "data": _mapped_data() if mapped else _data(rules),
    }
    return fields if rules.order == "time" else {**fields, "sequence": _sequence(rules.order)}


def type_names(rules: SourceRules) -> dict[str, str]:
    """Each `type` that this source may send, and the native one that it is read as."""
    natives = {name: rules.types.get(name, name) for name in (*rules.types, *TYPES)}
    may_imply = attributes.covers(rules.attributes, "active")
    return {
        name: native
        for name, native in natives.items()
        if native in TYPES
        and (may_imply or native not in IMPLIED_ACTIVE)
        and (not rules.only_types or native in rules.only_types)
    }


def _types(rules: SourceRules) -> str:
    read = [f"{name} is read as {native}" for name, native in type_names(rules).items() if name != native]
    implied = (
        "joined and returned imply active = true, left implies active = false, unless data says otherwise"
    )
    return "; ".join([*read, implied]) + "."


def _subject(subjects: str | None) -> dict[str, Json]:
    said: dict[str, Json] = {
        "$ref": "#/$defs/name",
        "description": "The HR key of the person; it never changes.",
    }
    return said if subjects is None else {**said, "pattern": whole(subjects)}


def _sequence(order: str) -> dict[str, Json]:
    said: dict[str, Json] = {"$ref": "#/$defs/name", "description": f"Orders the events, {order}."}
    return {**said, "pattern": whole(INTEGER.pattern)} if order == "integer" else said


def _data(rules: SourceRules) -> dict[str, Json]:
    """Attributes by name, those that the source may assert; `custom` may be an object of its own."""
    named: dict[str, Json] = {name: attributes.schema(name) for name in _asserted(rules)}
    plain: dict[str, Json] = {
        name.removeprefix("custom."): schema for name, schema in named.items() if CUSTOM.fullmatch(name)
    }
    everything = attributes.CUSTOM_ANY in rules.attributes
    return {
        "type": "object",
        "description": "Attributes; null clears one.",
        "properties": {**named, "custom": _closed(plain, CUSTOM_NAME, everything=everything)},
        **_others(CUSTOM.pattern, everything=everything),
    }


def _closed(properties: dict[str, Json], pattern: str, *, everything: bool) -> dict[str, Json]:
    return {"type": "object", "properties": properties, **_others(pattern, everything=everything)}


def _others(pattern: str, *, everything: bool) -> dict[str, Json]:
    open_to: dict[str, Json] = {"patternProperties": {whole(pattern): True}} if everything else {}
    return {**open_to, "additionalProperties": False}


def _asserted(rules: SourceRules) -> Iterator[str]:
    wanted = {*attributes.VOCABULARY, *rules.attributes}
    for name in sorted(wanted):
        if attributes.known(name) and attributes.covers(rules.attributes, name):
            yield name


def _mapped_data() -> dict[str, Json]:
    return {"type": "object", "description": "Vendor data; the source's mapping makes attributes of it."}


def _name() -> dict[str, Json]:
    """A text of the envelope: short, and not only of white space."""
    return {"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": f"[^{_spaces()}]"}


def _spaces() -> str:
    """What Python strips, for the brackets of a pattern; the class of white space differs by engine."""
    return "".join(f"\\u{code:04x}" for code in range(_LAST_SPACE + 1) if chr(code).isspace())


def _kept(limits: Limits) -> dict[str, Json]:
    """What can be stored without loss, at every depth."""
    inner: dict[str, Json] = {"$ref": "#/$defs/kept"}
    text: dict[str, Json] = {"maxLength": limits.max_string, "pattern": _NO_NUL}
    return {
        "description": f"At most {limits.max_bytes} bytes for the event and {limits.max_depth} levels.",
        **text,
        "minimum": -MAX_SAFE_INTEGER,
        "maximum": MAX_SAFE_INTEGER,
        "maxItems": limits.max_keys,
        "items": inner,
        "maxProperties": limits.max_keys,
        "propertyNames": text,
        "additionalProperties": inner,
    }


def _media_type() -> str:
    """In any case, with white space around it, with or without parameters."""
    letters = "".join(f"[{c}{c.upper()}]" if c.isalpha() else re.escape(c) for c in MEDIA_TYPE)
    space = f"[{_spaces()}]*"
    return f"^{space}{letters}{space}(?:;|{END})"


def _kinds(rules: SourceRules) -> list[str]:
    """The types of the examples: a change rather than what implies more, where the source may send one.

    None where the source may not speak about the person of the examples.
    """
    if rules.subjects is not None and not re.fullmatch(rules.subjects, _SOMEBODY):
        return []
    names = type_names(rules)
    return sorted(names, key=lambda name: names[name] in IMPLIED_ACTIVE)[:1]


def _example(uri: str, kind: str, rules: SourceRules, *, mapped: bool) -> dict[str, Json]:
    said = {name: value for name, value in _EXAMPLES.items() if attributes.covers(rules.attributes, name)}
    body: dict[str, Json] = {
        "specversion": "1.0",
        "id": "hr-2026-000417",
        "source": uri,
        "type": kind,
        "subject": _SOMEBODY,
        "time": "2026-01-31T09:30:00Z",
        "datacontenttype": MEDIA_TYPE,
        "data": {} if mapped else said,
    }
    return body if rules.order == "time" else {**body, "sequence": "417"}
