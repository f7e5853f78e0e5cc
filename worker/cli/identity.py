"""`hirewire identity`: one person as stored, with the account at each target; another HR key for a person."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from typer.core import TyperGroup

from connectors.sdk.text import one_line
from worker.cli.common import ConfigOption, JsonOption, group, reading, settings_of
from worker.cli.failures import UsageError
from worker.cli.identity_changes import merge, rekey
from worker.cli.known import require_subjects
from worker.cli.output import NONE, Column, document, line, moment, show, table
from worker.engine.people import PersonLook, Presence, person
from worker.engine.subject_ports import Alias
from worker.storage.view import SqlViewer
from worker.target_rules import check_targets
from worker.views.people import Hidden, hidden_of, person_json, shown_value

_LINE = 2_000
_ATTRIBUTES = (
    Column("attribute"),
    Column("value"),
    Column("revision", right=True),
    Column("event"),
    Column("source"),
    Column("said at", whole=True),
)
_ACCOUNTS = (
    Column("target", whole=True),
    Column("remote id"),
    Column("acknowledged", right=True),
    Column("state"),
    Column("last seen", whole=True),
)


def command() -> TyperGroup:
    return group("identity", identity, {"show": show_, "rekey": rekey, "merge": merge})


def identity() -> None:
    """Look at the people that HR's events have made known; give one another HR key."""


def show_(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="HR key.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what HR said about a person, by which event, and the account at each target.

    An HR key that the person had before leads to them, too. Values of what `audit.masked` lists, and of
    what a sensitive field of a target shows, are masked.

    Example: hirewire identity show E1001
    """
    settings = settings_of(config)
    check_targets(settings)
    with reading(settings) as engine:
        found = person(SqlViewer(engine), subject)
        if found is None:
            with engine.connect() as connection:
                require_subjects(connection, [subject])
            raise UsageError(f"no event about {subject!r} is folded yet")
    hidden = hidden_of(settings, found)
    if as_json:
        document(person_json(found, hidden))
    else:
        _tell(found, hidden)


def _tell(found: PersonLook, hidden: Hidden) -> None:
    known = found.identity
    wakes = f", looked at again at {moment(found.wake_at)}" if found.wake_at is not None else ""
    line(one_line(f"{known.subject}, revision {known.revision}{wakes}"))
    for alias in found.aliases:
        line(one_line(_alias_line(alias), _LINE))
    if found.waiting:
        waiting = ", ".join(one.event.id for one in found.waiting)
        line(one_line(f"events that wait to be folded: {waiting}", _LINE))
    show(table(_ATTRIBUTES, [_attribute_cells(found, name, hidden) for name in sorted(known.attributes)]))
    line("")
    if found.presences:
        show(table(_ACCOUNTS, [_account_cells(presence) for presence in found.presences]))
    else:
        line("there is no account at any target")


def _alias_line(alias: Alias) -> str:
    was = "was merged into it" if alias.merged else "was the HR key"
    return f"{alias.subject} {was}, {moment(alias.at)} by {alias.by}: its events count here"


def _attribute_cells(found: PersonLook, name: str, hidden: Hidden) -> tuple[object, ...]:
    held = found.identity.attributes[name]
    event = found.events.get(held.event)
    return (
        name,
        json.dumps(shown_value(name, held, hidden), ensure_ascii=False),
        held.revision,
        event.event.id if event is not None else NONE,
        held.source,
        moment(event.event.time) if event is not None else NONE,
    )


def _account_cells(presence: Presence) -> tuple[object, ...]:
    account = presence.look.claim.account
    seen = moment(account.observed_at) if account.observed is not None else None
    return presence.target, account.remote_id, account.applied_revision, presence.state, seen
