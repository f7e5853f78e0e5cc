"""`hirewire explain`: what is wanted of each field, who said so, what is there, and why it waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from typer.core import TyperCommand

from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.cli.common import ConfigOption, JsonOption, single
from worker.cli.failures import UsageError
from worker.cli.looking import looking, require_known
from worker.cli.output import NONE, Column, console, document, line, moment, nearest, show, table
from worker.cli.plan_words import fold_line, hold_words
from worker.engine.explaining import (
    AccountStory,
    EventName,
    Explaining,
    FieldState,
    FieldStory,
    PersonStory,
    Sending,
)
from worker.views.plans import why_words
from worker.views.stories import sentence, story_json

_LINE = 2_000
_NARROW = 80
_FIXED = 8 + 4 * 2  # the state, and the gaps between five columns
_COLUMNS = tuple(Column(title, whole=True) for title in ("field", "state", "wanted", "there", "set by"))


def command() -> TyperCommand:
    return single(explain, "explain")


def explain(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="HR key.")],
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only here; may be given again.")
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="One field of the target, with all that is known of it."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell of each owned field what is wanted, what is there, which event said so, and why it waits.

    States: there, pending, held, unsaid (HR never said it). Told from what is stored; nothing is read or
    sent. `hirewire plan --read` asks the target.

    Example: hirewire explain E1001 --target awx_prod --field email
    """
    with looking(config, target or []) as look:
        require_known(look, subject)
        story = Explaining(look.viewer, look.planning).of(subject)
    if field is not None:
        _require_field(story, field)
    if as_json:
        document(story_json(story, field))
        return
    for fold in story.folds:
        line(one_line(fold_line(fold), _LINE))
    for account in story.accounts:
        _tell(account, field)


def _require_field(story: PersonStory, field: str) -> None:
    owned = sorted({one.name for account in story.accounts for one in account.fields})
    if field not in owned:
        raise UsageError(f"no target's mapping owns a field {field!r}{nearest(field, owned)}")


def _tell(account: AccountStory, field: str | None) -> None:
    line(one_line(sentence(account), _LINE))
    if field is not None:
        for one in account.fields:
            if one.name == field:
                for name, value in _details(account, one):
                    line(f"  {name:<13} {one_line(value, _LINE)}")
        return
    widths = _widths()
    show(table(_COLUMNS, [_cells(one, widths) for one in account.fields]))
    for name, hold in sorted(account.plan.account.held.items()):
        line(one_line(f"{name} is held: {hold_words(hold, account.plan.target.name)}", _LINE))


def _widths() -> tuple[int, int, int, int]:
    """How wide field, wanted, there and set by may be, so that each field is one line."""
    left = max(console().width, _NARROW) - _FIXED
    name, by = left // 4, left // 4
    value = (left - name - by) // 2
    return name, value, value, by


def _cells(one: FieldStory, widths: tuple[int, int, int, int]) -> tuple[str, ...]:
    name, wanted, there, by = widths
    unsaid = one.state is FieldState.UNSAID
    return (
        one_line(one.name, name),
        one.state.value,
        NONE if unsaid else one_line(_shown(one.desired), wanted),
        one_line(_shown(one.observed), there),
        one_line(one.origin.id if one.origin is not None else NONE, by),
    )


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _details(account: AccountStory, one: FieldStory) -> Iterator[tuple[str, str]]:
    stored = account.plan.look.claim.account
    seen = f", as seen at {moment(stored.observed_at)}" if stored.observed is not None else ", never seen"
    yield "field", f"{one.name}: {one.state.value}"
    yield "wanted", NONE if one.state is FieldState.UNSAID else _shown(one.desired)
    yield "there", f"{_shown(one.observed)}{seen}"
    last = one.acknowledged
    yield "acknowledged", NONE if last is None else f"{_shown(last.value)} at {_answered_at(last)}"
    yield "set by", NONE if one.origin is None else _event_words(one.origin)
    yield "mapping", one.expression
    for setter in one.setters:
        said = "never said" if setter.event is None else f"by {_event_words(setter.event)}"
        yield "reads", f"{setter.attribute}, {said}"
    yield "last request", NONE if one.last is None else _sending_words(one.last)
    for why in one.why:
        yield "why", why_words(why)
    if one.hold is not None:
        yield "held", f"{hold_words(one.hold, account.plan.target.name)} (since {moment(one.hold.since)})"


def _event_words(event: EventName) -> str:
    return f"event {event.id} from {event.source}, {moment(event.time)}"


def _answered_at(sending: Sending) -> str:
    return moment(sending.answer.at if sending.answer is not None else sending.at)


def _sending_words(sending: Sending) -> str:
    asked = f"{sending.intent.get('method')} {sending.intent.get('path', '')}".strip()
    asked = f"{asked} with {_shown(sending.value)} at {moment(sending.at)}"
    if sending.answer is None:
        return f"{asked}, no answer yet"
    facts = sending.answer.facts
    said = [sending.answer.action.rpartition(":")[2], facts.get("status"), facts.get("detail")]
    return f"{asked}: {' '.join(str(word) for word in said if word)}"
