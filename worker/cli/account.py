"""`hirewire account link`, `unlink`: say by hand which account of a target is a person's, or that none is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from typer.core import TyperGroup

from config.settings import Settings
from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.bootstrap import build_linking
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, group
from worker.cli.failures import Code, UsageError, refusing
from worker.cli.output import NONE, document, hint, line
from worker.cli.place import TargetOption, account_at
from worker.cli.principal import (
    TokenFileOption,
    WhyOption,
    principal_of,
    principal_or_user,
    reason_given,
)
from worker.cli.telling import changes
from worker.domain.operator import Role
from worker.engine.link_reading import Candidate, LinkRefusedError
from worker.engine.link_told import Asked
from worker.engine.linking import Linking
from worker.storage.store import SqlStore
from worker.target_rules import check_targets
from worker.views.links import changed_json, seen_json

SubjectArgument = Annotated[str, typer.Argument(metavar="IDENTITY", help="HR key.")]
IdOption = Annotated[
    str, typer.Option("--id", metavar="REMOTE_ID", help="The target's own id of the account.")
]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Also where the person is linked already.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Link without being asked.")]
_LINE = 2_000


def command() -> TyperGroup:
    return group("account", about, {"link": link, "unlink": unlink})


def about() -> None:
    """Say by hand which account of a target is a person's, or that none is."""


def link(  # noqa: PLR0913 - one parameter for each option
    identity: SubjectArgument,
    target: TargetOption,
    remote_id: IdOption,
    why: WhyOption,
    replace: ReplaceOption = False,
    yes: YesOption = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Link a person to an account of a target: it is read and shown first, and nothing is sent for that.

    Needs the token of an approver. Refused: protected accounts, the owner of our token, the account of
    somebody else. The next sync reads the account again, and every guard applies to what it then sends.
    Exit code 1 where you are asked and say no.

    Example: hirewire account link E1001 --target awx_prod --id 42 --why "ticket 4711"
    """
    reason = reason_given(why)
    with account_at(config, identity, target) as (settings, store):
        check_targets(settings)
        what = f"account:link:{identity}:{target}"
        by = principal_of(store, what, Role.APPROVER, token_file, [target])
        linking, asked = _built(settings, store, target), Asked(identity, remote_id, by, reason)
        with refusing(LinkRefusedError):
            seen = linking.look(asked, replaces=replace)
            _confirm(asked, target, seen, yes=yes)
            done = linking.link(asked, seen)
    if as_json:
        document({**changed_json(target, identity, done), **seen_json(seen)})
        return
    line(f"{identity} is linked to {remote_id} at {target}; it is read before anything is sent")


def unlink(  # noqa: PLR0913 - one parameter for each option
    identity: SubjectArgument,
    target: TargetOption,
    why: WhyOption,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a person's link away. Nothing is sent; the account at the target stays as it is.

    The person is held there until `account link`, or `held retry` has the account searched for: new data
    from HR, a deactivation too, changes nothing.

    Example: hirewire account unlink E1001 --target awx_prod --why "it is the account of somebody else"
    """
    reason = reason_given(why)
    with account_at(config, identity, target) as (settings, store):
        check_targets(settings)
        what = f"account:unlink:{identity}:{target}"
        by = principal_or_user(store, what, Role.OPERATOR, token_file, [target])
        asked = Asked(identity, None, by, reason)
        with refusing(LinkRefusedError):
            done = _built(settings, store, target).unlink(asked)
    if as_json:
        document(changed_json(target, identity, done))
        return
    line(f"{identity} is not linked to {done.former} at {target} any more, and held until somebody decides")


def _built(settings: Settings, store: SqlStore, name: str) -> Linking:
    return build_linking(settings, store, signals_of(settings), name)


def _confirm(asked: Asked, target: str, seen: Candidate, *, yes: bool) -> None:
    """Show who it is, and have somebody say yes."""
    for name, value in _told(asked, target, seen):
        hint(f"{name:<9} {one_line(value, _LINE)}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nothing was linked: say --yes, or call it at a terminal to be asked")
    if not typer.confirm("Link them?", err=True):
        hint("nothing was linked")
        raise typer.Exit(Code.NOT_WELL)


def _told(asked: Asked, target: str, seen: Candidate) -> Iterator[tuple[str, str]]:
    yield "account", f"{seen.remote_id} at {target}, called {_shown(seen.name)}"
    yield "person", asked.subject if seen.former is None else f"{asked.subject}, linked to {seen.former} now"
    yield "agrees", ", ".join(seen.agrees) or NONE
    for change in changes({"changes": list(seen.differs)}):
        yield "differs", f"{change} as HR says"
    for name, value in sorted(seen.rights.items()):
        yield "may", f"{name} = {_shown(value)}"


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
