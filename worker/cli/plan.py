"""`hirewire plan`: what would be sent where, and why nothing is. Sends nothing, stores nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated

import typer
from typer.core import TyperCommand

from connectors.sdk.model import Json
from connectors.sdk.text import one_line
from worker.cli.common import ConfigOption, JsonOption, single
from worker.cli.failures import Code, UsageError
from worker.cli.looking import Look, looking, require_known
from worker.cli.output import document, hint, line
from worker.cli.plan_events import events_of
from worker.cli.plan_words import fold_line, lines
from worker.engine.account_plan import AccountPlan, Verdict
from worker.engine.planning import PersonPlan
from worker.storage.clock import clock
from worker.storage.freshness import totals
from worker.storage.run_stories import one as run_story
from worker.views.plans import account_json, names_of, person_json
from worker.views.said import Said

_WIDTH = 4_000
_QUIET = (Verdict.RIGHT, Verdict.NOTHING)


def command() -> TyperCommand:
    return single(plan, "plan")


def plan(  # noqa: PLR0913 - one parameter for each option
    subject: Annotated[str | None, typer.Argument(metavar="[SUBJECT]", help="HR key of one person.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only here, may be given again; alone: all accounts there."),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            "--event",
            metavar="FILE",
            help="Events not sent yet, NDJSON (- is standard input); or an event's id.",
        ),
    ] = None,
    run: Annotated[int | None, typer.Option("--run", metavar="ID", help="The accounts of a run.")] = None,
    read: Annotated[bool, typer.Option("--read", help="Read the targets first (GET only).")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Accounts, or lines of a file, at most.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would be sent: method, path, body, and the guards' verdict. Nothing is sent or stored.

    Planned from what the targets showed last; with --read they are asked. Each request is taken to succeed
    before the next. Of a target or a run all accounts are counted, and listed are those with something to
    tell, --limit at most; with --read no more than that are read. Exit code 1 when an event would be
    refused or a target could not be read.

    Example: hirewire plan E1001 --target awx_prod
    """
    _require_one(subject, target, event, run)
    with looking(config, target or [], reads=read) as look:
        if subject is not None:
            require_known(look, subject)
            code = _people(look, Said({subject: []}), as_document=as_json)
        elif event is not None:
            code = _people(look, events_of(look, event, limit), as_document=as_json)
        else:
            selection = _selection(look, target or [], run)
            code = _Listing(look, limit, reads=read, as_document=as_json).of(selection)
    raise typer.Exit(code)


def _require_one(subject: str | None, target: list[str] | None, event: str | None, run: int | None) -> None:
    given = [
        name
        for name, value in (("SUBJECT", subject), ("--event", event), ("--run", run))
        if value is not None
    ]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: give one of them")
    if not given and not target:
        raise UsageError("say what to plan: a SUBJECT, --event FILE, --run ID, or --target NAME alone")


def _selection(look: Look, targets: list[str], run: int | None) -> Mapping[str, Json]:
    if run is None:
        return {"targets": [*targets]}
    with look.engine.connect() as connection:
        found = run_story(connection, run)
    if found is None:
        raise UsageError(f"there is no run {run}: `hirewire runs list` shows them")
    hint(f"run {run} is {found.state}: what follows is planned for its accounts as they are now")
    return {**found.selection, **({"targets": [*targets]} if targets else {})}


def _people(look: Look, said: Said, *, as_document: bool) -> Code:
    """Each person that the events speak of, at every target."""
    plans = [look.planning.of_person(subject, events) for subject, events in said.events.items()]
    failed = bool(said.refused) or any(_failed(one) for plan in plans for one in plan.accounts)
    if as_document:
        told: list[Json] = [person_json(one, names_of(look.viewer, one.accounts, one.folds)) for one in plans]
        document({"people": told, "notes": [*said.notes], "refused": [*said.refused], "more": said.more})
    else:
        for text in chain(said.notes, (f"refused  {refusal}" for refusal in said.refused)):
            line(one_line(text, _WIDTH))
        for one in plans:
            _tell_person(look, one)
        if said.more:
            hint("there are more lines: raise --limit")
    return Code.NOT_WELL if failed else Code.FINE


def _tell_person(look: Look, person: PersonPlan) -> None:
    for fold in person.folds:
        line(one_line(fold_line(fold), _WIDTH))
    _tell(person.accounts, names_of(look.viewer, person.accounts, person.folds))


def _tell(plans: Iterable[AccountPlan], names: Mapping[int, str]) -> None:
    for one in plans:
        for text in lines(one, names):
            indent = len(text) - len(text.lstrip())
            line(" " * indent + one_line(text, _WIDTH))


def _failed(planned: AccountPlan) -> bool:
    return planned.unanswered


@dataclass(frozen=True, slots=True)
class _Listing:
    """Many accounts: all are counted, few are listed, and memory holds no more than those."""

    look: Look
    limit: int
    reads: bool
    as_document: bool

    def of(self, selection: Mapping[str, Json]) -> Code:
        self._warn_of_waiting()
        counts: Counter[tuple[str, str]] = Counter()
        listed: list[Json] = []
        told, failed = 0, False
        found = self.look.planning.of_accounts(selection)
        for planned in islice(found, self.limit) if self.reads else found:
            counts[planned.target.name, planned.verdict.value] += 1
            failed = failed or _failed(planned)
            if planned.verdict in _QUIET or told == self.limit:
                continue
            told += 1
            names = names_of(self.look.viewer, [planned])
            if self.as_document:
                listed.append(account_json(planned, names))
            else:
                _tell([planned], names)
        more = next(found, None) is not None if self.reads else _loud(counts) > told
        self._end(counts, listed, more=more)
        return Code.NOT_WELL if failed else Code.FINE

    def _warn_of_waiting(self) -> None:
        with self.look.engine.connect() as connection:
            waiting = totals(connection, clock(connection)).waiting
        if waiting:
            hint(f"events that wait to be folded are not in what follows: {waiting}")

    def _end(self, counts: Counter[tuple[str, str]], listed: list[Json], *, more: bool) -> None:
        by_target: dict[str, dict[str, Json]] = {}
        for (name, verdict), count in sorted(counts.items()):
            by_target.setdefault(name, {})[verdict] = count
        if self.as_document:
            document({"accounts": listed, "counts": {**by_target}, "more": more})
            return
        for name, verdicts in by_target.items():
            line(f"{name}: {', '.join(f'{count} {verdict}' for verdict, count in verdicts.items())}")
        if not counts:
            line("there are no accounts")
        if more:
            hint("there are more: raise --limit")


def _loud(counts: Counter[tuple[str, str]]) -> int:
    return sum(count for (_, verdict), count in counts.items() if verdict not in _QUIET)
