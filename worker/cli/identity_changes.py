"""`hirewire identity rekey`, `merge`: another HR key for a person, and two identities that are one person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from config.settings import Settings
from connectors.sdk.text import one_line
from worker.bootstrap import build_merging
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, settings_of
from worker.cli.failures import Code, UsageError, refusing
from worker.cli.output import NONE, document, hint, line
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_of, reason_given
from worker.domain.identity import Asserted
from worker.domain.one_account import Fate
from worker.domain.operator import Role
from worker.engine.changing_people import Asked, PersonRefusedError
from worker.engine.merging import MergeLook, Place, Said
from worker.engine.rekeying import Rekeyed, Rekeying
from worker.target_rules import check_targets
from worker.views.merges import merge_json, rekey_json
from worker.views.people import Hidden, hidden_among, shown_value

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Merge without being asked.")]
_LINE = 2_000


def rekey(  # noqa: PLR0913 - one parameter for each option
    old: Annotated[str, typer.Argument(metavar="OLD", help="HR key that the person has.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="HR key that HR gives them.")],
    why: WhyOption,
    dry_run: DryRunOption = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a person another HR key. Events of the old one go on reaching them. Nothing is sent.

    Needs the token of an approver. Refused where an event has spoken of the new key already: `identity
    merge` is for that.

    Example: hirewire identity rekey E1001 P-20417 --why "the new HR system numbers anew, ticket 4711"
    """
    reason = reason_given(why)
    settings = settings_of(config)
    with opened(settings) as store:
        by = principal_of(store, f"identity:rekey:{old}", Role.APPROVER, token_file)
        asked, door = Asked("rekey", old, new, by, reason), Rekeying(store)
        with refusing(PersonRefusedError):
            done = door.look(asked) if dry_run else door.rekey(asked)
    _tell_rekeyed(done, dry_run=dry_run, as_json=as_json)


def _tell_rekeyed(done: Rekeyed, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        document({**rekey_json(done), "done": not dry_run})
        return
    verb = "would be" if dry_run else "is"
    line(f"{done.before} {verb} {done.after} from now on; events of both reach this person, nothing is sent")


def merge(  # noqa: PLR0913 - one parameter for each option
    gone: Annotated[str, typer.Argument(metavar="FROM", help="HR key that will be an alias.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="HR key that the person keeps.")],
    why: WhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that two HR keys are one person, rehired under a new one for example. This cannot be undone.

    What was said of either counts for INTO, the newest first; accounts that only FROM has become theirs.
    All is shown first, and then you are asked. Needs the token of an approver. Refused where both are
    linked to an account of one target. Afterwards the accounts are read, and every guard applies to what
    is sent. Exit code 1 where you are asked and say no.

    Example: hirewire identity merge E1001 E2044 --why "rehired, ticket 4711"
    """
    reason = reason_given(why)
    settings = settings_of(config)
    check_targets(settings)
    with opened(settings) as store:
        by = principal_of(store, f"identity:merge:{gone}:{into}", Role.APPROVER, token_file)
        asked = Asked("merge", gone, into, by, reason)
        door = build_merging(settings, store, signals_of(settings))
        with refusing(PersonRefusedError):
            seen = door.look(asked)
            if not dry_run:
                _confirm(settings, seen, yes=yes)
                door.merge(asked, seen)
    _tell_merged(settings, seen, dry_run=dry_run, as_json=as_json)


def _confirm(settings: Settings, seen: MergeLook, *, yes: bool) -> None:
    """Show whom it is about, and have somebody say yes."""
    for text in _lines(settings, seen):
        hint(text)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nothing was merged: say --yes, or call it at a terminal to be asked")
    if not typer.confirm(f"Are {seen.gone} and {seen.into} one person?", err=True):
        hint("nothing was merged")
        raise typer.Exit(Code.NOT_WELL)


def _tell_merged(settings: Settings, seen: MergeLook, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        document({**merge_json(seen, _hidden(settings, seen)), "done": not dry_run})
        return
    if dry_run:
        for text in _lines(settings, seen):
            line(text)
        return
    line(f"{seen.gone} is {seen.into} from now on; the accounts are read before anything is sent")


def _lines(settings: Settings, seen: MergeLook) -> Iterator[str]:
    for word, text in _told(settings, seen):
        yield f"{word:<9} {one_line(text, _LINE)}"


def _told(settings: Settings, seen: MergeLook) -> Iterator[tuple[str, str]]:
    hidden = _hidden(settings, seen)
    yield "agrees", ", ".join(one.name for one in seen.said if one.agrees) or NONE
    for one in seen.said:
        if not one.agrees:
            yield "changes" if one.moves else "stays", _said(seen, one, hidden)
    for place in seen.places:
        yield "account", _place(seen, place)
    if seen.leaves:
        yield "take care", f"{seen.into} would count as a leaver: that is the newest that was said"


def _hidden(settings: Settings, seen: MergeLook) -> Hidden:
    return hidden_among(settings, [one.name for one in seen.said])


def _said(seen: MergeLook, one: Said, hidden: Hidden) -> str:
    def value(held: Asserted | None) -> str:
        if held is None:
            return NONE
        return json.dumps(shown_value(one.name, held, hidden), ensure_ascii=False)

    return f"{one.name}: {seen.gone} {value(one.gone)}, {seen.into} {value(one.into)} → {value(one.after)}"


def _place(seen: MergeLook, place: Place) -> str:
    words = {
        Fate.MOVES: f"{place.gone} of {seen.gone} becomes that of {seen.into}",
        Fate.HELD: f"none is looked for, as somebody said of {seen.gone}",
    }
    stays = f"{place.into} stays that of {seen.into}" if place.into else "neither has one"
    return f"{place.target}: {words.get(place.fate, stays)}"
