"""`hirewire audit story`: one person, from event to request to answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of
from worker.cli.known import require_subjects
from worker.cli.output import document, line, moment
from worker.cli.telling import changes, summary
from worker.storage.audit import stamp
from worker.storage.records import EventLook, Record, Story
from worker.storage.records import story as story_of

_LINE = 2_000


def story(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="The HR key, such as E1001.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell one person's story: every event, request, answer and hold, in the order it happened.

    Example: hirewire audit story E1001
    """
    settings = settings_of(config)
    with reading(settings) as engine, engine.connect() as connection:
        told = story_of(connection, subject)
        if told is None:
            require_subjects(connection, [subject])
            return
    if as_json:
        document(_as_json(told))
        return
    for text in lines(told):
        line(one_line(text, _LINE))


def lines(told: Story) -> Iterator[str]:
    """The story, one happening a line."""
    yield f"{told.subject}, revision {told.revision}, {len(told.events)} events"
    names = {event.row: event.id for event in told.events}
    happened = [(event.accepted_at, 0, _event_line(event)) for event in told.events]
    happened += [(record.at, 1, _record_line(record, names)) for record in told.records]
    for at, _, text in sorted(happened, key=_order):
        yield f"{moment(at)}  {text}"


def _order(item: tuple[float, int, str]) -> tuple[float, int]:
    return item[0], item[1]


def _event_line(event: EventLook) -> str:
    said = ", ".join(event.asserts) or "nothing"
    kind = event.type.rpartition(".")[2]
    said = f"event {event.id} from {event.source} ({kind}) accepted: {said} → {_effect(event)}"
    return f"{said}  [{event.correlation}]"


def _effect(event: EventLook) -> str:
    match event.effect:
        case "changed":
            return f"revision {event.revision}"
        case None:
            return "waits to be folded"
        case "superseded":
            return "superseded by a newer event"
    return "changed nothing"


def _record_line(record: Record, names: dict[int, str]) -> str:
    facts = record.facts
    place = record.stream.removeprefix("target:")
    if record.action in ("account:patch:intended", "account:patch:planned"):
        verb = "intended" if record.action.endswith("intended") else "planned"
        request = f"{facts.get('method', 'PATCH')} {facts.get('path', '')}".strip()
        return f"{place}  {verb} {request}: {', '.join(changes(facts, names))}{_correlation(facts)}"
    told = f"{place}  {_word(record.action)}: {summary(record.action, facts)}".rstrip(": ")
    return f"{told}{_correlation(facts)}"


def _correlation(facts: Mapping[str, Json]) -> str:
    """The id that ties a line to its event, its request's header and the logs."""
    found = facts.get("correlation")
    return f"  [{found}]" if found else ""


def _word(action: str) -> str:
    """`account:patch:applied` as `applied`, `account:field:held` as `held`."""
    return action.rpartition(":")[2].replace("_", " ")


def _as_json(told: Story) -> Json:
    records: list[Json] = [
        {**record.facts, "subject": record.subject, "hash": record.hash} for record in told.records
    ]
    return {
        "subject": told.subject,
        "revision": told.revision,
        "events": [
            {**asdict(event), "asserts": list(event.asserts), "accepted_at": stamp(event.accepted_at)}
            for event in told.events
        ],
        "records": records,
        "lines": list(lines(told)),
    }
