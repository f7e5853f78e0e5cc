"""`hirewire check`: the configuration, then every connection, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.progress import Progress
from sqlalchemy.exc import OperationalError
from typer.core import TyperCommand

from config.settings import ConfigurationError, Settings, Target
from connectors.sdk.diagnosis import not_shown, unseen
from connectors.sdk.expiry import NEVER
from connectors.sdk.model import CheckReport, Json
from connectors.sdk.text import one_line
from worker.bootstrap import open_connector
from worker.cli.broker import absence
from worker.cli.common import ConfigOption, JsonOption, require_database, settings_of, single
from worker.cli.failures import Code, NotReadyError
from worker.cli.known import require_targets
from worker.cli.output import Column, aside, document, line, show, table
from worker.target_rules import merged_mapping, problems_of

_AT_ONCE = 16
_COLUMNS = (
    Column("target", whole=True),
    Column("healthy"),
    Column("version"),
    Column("token of"),
    Column("rights"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a target said, and the fields owned there that it does not show."""

    report: CheckReport
    unseen: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        return self.report.healthy and not self.unseen

    @property
    def problems(self) -> list[str]:
        return [*self.report.problems, *map(not_shown, self.unseen)]


def command() -> TyperCommand:
    return single(check, "check")


def check(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[TARGET]...", help="Default: all.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, the database, the broker, and connect to the targets; nothing is written.

    Of each target: version, whose token ours is, when that expires, which rights it has and lacks, and which
    of the owned fields the server does not show, as far as the server tells.

    Exit code 1 where a target is not healthy, 2 where the configuration is wrong, 3 where database or broker
    are not there.

    Example: hirewire check awx_prod
    """
    settings = settings_of(config)
    names = sorted(set(targets or settings.targets))
    require_targets(settings, names)
    _require_sound(settings, names)
    database, broker = _database(settings), absence(settings)
    reports = dict(sorted(_reports(settings, names)))
    if as_json:
        document(_as_json(database, broker, reports))
    else:
        _show(database, broker, reports)
    raise typer.Exit(_code(database, broker, list(reports.values())))


def _require_sound(settings: Settings, names: Sequence[str]) -> None:
    problems = [text for name in names for text in problems_of(name, settings.targets[name])]
    if problems:
        raise ConfigurationError(problems)


def _database(settings: Settings) -> str | None:
    """What is wrong with it; None where it is there and current."""
    try:
        require_database(settings)
    except NotReadyError as error:
        return str(error)
    except OperationalError as error:
        return f"the database does not answer ({one_line(str(error.orig))})"
    return None


def _reports(settings: Settings, names: Sequence[str]) -> Iterator[tuple[str, Checked]]:
    """Each target's own report, all asked at the same time."""
    shown = aside()
    with (
        ThreadPoolExecutor(_AT_ONCE, "hirewire-check") as threads,
        Progress(console=shown, disable=not shown.is_terminal, transient=True) as progress,
    ):
        task = progress.add_task("asking the targets", total=len(names))
        asked: dict[Future[Checked], str] = {
            threads.submit(_report, name, settings.targets[name]): name for name in names
        }
        for future in as_completed(asked):
            progress.advance(task)
            yield asked[future], future.result()


def _report(name: str, target: Target) -> Checked:
    connector = open_connector(name, target)
    report = connector.check()
    owned = merged_mapping(target, connector.descriptor)
    return Checked(report, unseen(connector.descriptor, owned, report.shown))


def _code(database: str | None, broker: str | None, reports: Sequence[Checked]) -> Code:
    if database is not None or broker is not None:
        return Code.AWAY
    return Code.FINE if all(report.healthy for report in reports) else Code.NOT_WELL


def _show(database: str | None, broker: str | None, reports: dict[str, Checked]) -> None:
    line("configuration  ok")
    line(f"database       {database or 'ok'}")
    line(f"broker         {broker or 'ok'}")
    if reports:
        line("")
        show(table(_COLUMNS, [_cells(name, checked) for name, checked in reports.items()]))
    for name, checked in reports.items():
        for sentence in _sentences(checked):
            line(f"{name}: {sentence}")


def _cells(name: str, checked: Checked) -> tuple[object, ...]:
    report = checked.report
    healthy = "yes" if checked.healthy else "no" if report.reachable else "not reachable"
    return name, healthy, report.version, report.owner, ", ".join(report.rights) or None


def _sentences(checked: Checked) -> Iterator[str]:
    """What no column has room for: first what is wrong."""
    yield from checked.problems
    report = checked.report
    if report.missing:
        yield f"the token lacks {', '.join(report.missing)}."
    if report.expires_at == NEVER:
        yield "the token does not expire."
    elif report.expires_at is not None:
        yield f"the token expires at {report.expires_at}: have a new one in place by then."
    yield from report.notes


def _as_json(database: str | None, broker: str | None, reports: dict[str, Checked]) -> Json:
    return {
        "database": {"ok": database is None, "problem": database},
        "broker": {"ok": broker is None, "problem": broker},
        "targets": [_target(name, checked) for name, checked in reports.items()],
    }


def _target(name: str, checked: Checked) -> Json:
    report = checked.report
    return {
        "name": name,
        "reachable": report.reachable,
        "healthy": checked.healthy,
        "version": report.version,
        "owner": report.owner,
        "owner_id": report.owner_id,
        "rights": [*report.rights],
        "missing": [*report.missing],
        "expires_at": report.expires_at,
        "unseen": [*checked.unseen],
        "problems": [*checked.problems],
        "notes": [*report.notes],
    }
