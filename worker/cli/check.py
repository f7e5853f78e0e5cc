"""`hirewire check`: the configuration, then every connection, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import Progress
from sqlalchemy.exc import OperationalError
from typer.core import TyperCommand

from config.settings import ConfigurationError, Settings, Target
from connectors.sdk.model import CheckReport, Json
from connectors.sdk.text import one_line
from worker.bootstrap import open_connector
from worker.cli.broker import absence
from worker.cli.common import ConfigOption, JsonOption, require_database, settings_of, single
from worker.cli.failures import Code, NotReadyError
from worker.cli.known import require_targets
from worker.cli.output import Column, aside, document, line, show, table
from worker.target_rules import problems_of

_AT_ONCE = 16
_COLUMNS = (
    Column("target", whole=True),
    Column("healthy"),
    Column("version"),
    Column("token of"),
    Column("rights"),
)


def command() -> TyperCommand:
    return single(check, "check")


def check(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[TARGET]...", help="Default: all.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, the database, the broker, and connect to the targets; nothing is written.

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


def _reports(settings: Settings, names: Sequence[str]) -> Iterator[tuple[str, CheckReport]]:
    """Each target's own report, all asked at the same time."""
    shown = aside()
    with (
        ThreadPoolExecutor(_AT_ONCE, "hirewire-check") as threads,
        Progress(console=shown, disable=not shown.is_terminal, transient=True) as progress,
    ):
        task = progress.add_task("asking the targets", total=len(names))
        asked: dict[Future[CheckReport], str] = {
            threads.submit(_report, name, settings.targets[name]): name for name in names
        }
        for future in as_completed(asked):
            progress.advance(task)
            yield asked[future], future.result()


def _report(name: str, target: Target) -> CheckReport:
    return open_connector(name, target).check()


def _code(database: str | None, broker: str | None, reports: Sequence[CheckReport]) -> Code:
    if database is not None or broker is not None:
        return Code.AWAY
    return Code.FINE if all(report.healthy for report in reports) else Code.NOT_WELL


def _show(database: str | None, broker: str | None, reports: dict[str, CheckReport]) -> None:
    line("configuration  ok")
    line(f"database       {database or 'ok'}")
    line(f"broker         {broker or 'ok'}")
    if reports:
        line("")
        show(table(_COLUMNS, [_cells(name, report) for name, report in reports.items()]))
    for name, report in reports.items():
        for problem in report.problems:
            line(f"{name}: {problem}")


def _cells(name: str, report: CheckReport) -> tuple[object, ...]:
    healthy = "yes" if report.healthy else "no" if report.reachable else "not reachable"
    return name, healthy, report.version, report.owner, ", ".join(report.rights) or None


def _as_json(database: str | None, broker: str | None, reports: dict[str, CheckReport]) -> Json:
    return {
        "database": {"ok": database is None, "problem": database},
        "broker": {"ok": broker is None, "problem": broker},
        "targets": [
            {
                "name": name,
                **asdict(report),
                "rights": list(report.rights),
                "problems": list(report.problems),
            }
            for name, report in reports.items()
        ],
    }
