"""`hirewire held show`, `retry`, `discard`, `approve`, `reject`: look at what is held, and decide on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from config.settings import Settings
from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.cli.common import ConfigOption, JsonOption
from worker.cli.failures import UsageError, refusing
from worker.cli.output import document, line, moment
from worker.cli.place import TargetOption, account_at, only
from worker.cli.principal import (
    TokenFileOption,
    WhyOption,
    principal_of,
    principal_or_user,
    reason_given,
)
from worker.domain.decisions import Word
from worker.domain.operator import Principal, Role
from worker.engine.deciding import Deciding, Held, UndecidableError
from worker.storage.store import SqlStore
from worker.views.held import NEEDS, decidable_json, shown_values

SubjectArgument = Annotated[str, typer.Argument(metavar="SUBJECT", help="HR key.")]
FieldOption = Annotated[
    str | None, typer.Option("--field", metavar="FIELD", help="Needed where several fields are held.")
]
SeenOption = Annotated[
    str | None,
    typer.Option("--hash", metavar="HASH", help="Of what `show` showed, or its beginning; else refused."),
]
_WIDTH = 400


_SAID = {
    Word.RETRY: "is looked at again",
    Word.DISCARD: "is not sent",
    Word.APPROVE: "is approved, once",
    Word.REJECT: "is declined",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Which account, and which field of it."""

    subject: str
    target: str
    field: str | None
    config: Path | None


def show(
    subject: SubjectArgument,
    target: TargetOption,
    field: FieldOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is held of an account: why, what would be sent, and the hash that an approval binds to.

    Example: hirewire held show E1001 --target awx_prod
    """
    place = _Place(subject, target, field, config)
    with _deciding(place) as (deciding, _):
        found = [held for held in deciding.look(target, subject) if field in (None, held.field)]
    if as_json:
        document({"held": [decidable_json(held) for held in found]})
        return
    for held in found:
        for name, value in _told(held):
            line(f"{name:<9} {value}")
        line("")
    if not found:
        line("nothing is held there")


def retry(  # noqa: PLR0913 - one parameter for each option
    subject: SubjectArgument,
    target: TargetOption,
    why: WhyOption,
    field: FieldOption = None,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Have a held field looked at again; it is sent again if it still differs.

    Example: hirewire held retry E1001 --target awx_prod --field email --why "mended at AWX"
    """
    _decide(_Place(subject, target, field, config), Word.RETRY, why, token_file)


def discard(  # noqa: PLR0913 - one parameter for each option
    subject: SubjectArgument,
    target: TargetOption,
    why: WhyOption,
    field: FieldOption = None,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Say that a held value is not to be sent. It stays held until HR says another one.

    Example: hirewire held discard E1001 --target awx_prod --field email --why "wrong in HR"
    """
    _decide(_Place(subject, target, field, config), Word.DISCARD, why, token_file)


def approve(  # noqa: PLR0913 - one parameter for each option
    subject: SubjectArgument,
    target: TargetOption,
    why: WhyOption,
    field: FieldOption = None,
    seen: SeenOption = None,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Let one guarded change pass, once and for a day: a grant, a deletion, a revocation under the brake.

    Needs the token of an approver. It binds to the change as it is now, before and after.

    Example: hirewire held approve E1001 --target awx_prod --field is_superuser --why "ticket 4711"
    """
    _decide(_Place(subject, target, field, config), Word.APPROVE, why, token_file, seen)


def reject(  # noqa: PLR0913 - one parameter for each option
    subject: SubjectArgument,
    target: TargetOption,
    why: WhyOption,
    field: FieldOption = None,
    seen: SeenOption = None,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Say no to what waits for an approval, or take an approval back that was not used yet.

    Example: hirewire held reject E1001 --target awx_prod --field is_superuser --why "never asked for"
    """
    _decide(_Place(subject, target, field, config), Word.REJECT, why, token_file, seen)


def _decide(place: _Place, word: Word, why: str, token_file: Path | None, seen: str | None = None) -> None:
    reason = reason_given(why)
    with _deciding(place) as (deciding, store):
        by = _principal(store, place, word, token_file)
        field = place.field or _only_field(deciding.look(place.target, place.subject), place)
        with refusing(UndecidableError):
            deciding.decide(place.target, place.subject, field, word, by, reason, seen)
    line(f"{field} of {place.subject} at {place.target} {_SAID[word]}")


def _principal(store: SqlStore, place: _Place, word: Word, token_file: Path | None) -> Principal:
    """An approval needs a token always, the others as soon as there is any operator."""
    what = f"held:{word.value}:{place.subject}:{place.target}"
    ask = principal_of if NEEDS[word] is Role.APPROVER else principal_or_user
    return ask(store, what, NEEDS[word], token_file, [place.target])


def _only_field(found: list[Held], place: _Place) -> str:
    names = [held.field for held in found]
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(f"nothing is held of {place.subject} at {place.target}")
    raise UsageError(f"several fields are held, name one with --field: {', '.join(names)}")


@contextmanager
def _deciding(place: _Place) -> Iterator[tuple[Deciding, SqlStore]]:
    with account_at(place.config, place.subject, place.target) as (settings, store):
        yield _built(settings, store, place.target), store


def _built(settings: Settings, store: SqlStore, target: str) -> Deciding:
    """With the one target that is asked for: its mapping says what would be sent."""
    from worker.bootstrap import build_targets  # noqa: PLC0415 - a listing needs none of it
    from worker.cli.broker import signals_of  # noqa: PLC0415 - see above

    engine, built = settings.engine, build_targets(only(settings, [target]), store)
    return Deciding(store, signals_of(settings), built, engine.shards, engine.approval_valid_s)


def _shown(value: Json) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), _WIDTH)


def _told(held: Held) -> Iterator[tuple[str, str]]:
    before, after = shown_values(held)
    yield "account", f"{held.subject} at {held.target.name}, remote id {held.account.remote_id or 'none'}"
    yield "field", held.field
    if held.hold is not None:
        yield "reason", f"{held.hold.reason.value}: {held.hold.message}"
        yield "since", moment(held.hold.since)
    yield "before", _shown(before)
    yield "after", _shown(after)
    if held.approval is not None:
        yield "approved", f"by {held.approval.by}, until {moment(held.approval.until)}, not used yet"
    if held.question is not None:
        yield "may", f"{Role.APPROVER.value} approve or reject; the approval is for this hash only"
    yield "hash", held.hash
