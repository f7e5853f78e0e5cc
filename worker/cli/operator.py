"""`hirewire operator`: who may decide. A token is shown once, when its operator is added."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from connectors.sdk.model import Json
from worker.cli.common import ConfigOption, JsonOption, group, settings_of
from worker.cli.failures import UsageError, refusing
from worker.cli.known import require_targets
from worker.cli.operator_name import operator as os_user
from worker.cli.output import Column, document, hint, line, moment, show, table
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_of, reason_given
from worker.domain.operator import Principal, Role
from worker.engine.operator_ports import OperatorRow
from worker.engine.operators import Operators
from worker.storage.audit import stamp
from worker.storage.store import SqlStore

_COLUMNS = (
    Column("name", whole=True),
    Column("role"),
    Column("targets"),
    Column("state"),
    Column("created by"),
    Column("created", whole=True),
    Column("expires", whole=True),
)
_LASTS = re.compile(r"(\d{1,5})([hd])", re.ASCII)
_SECONDS = {"h": 3600, "d": 86400}
_NAME = typer.Argument(metavar="NAME", help="a-z first, then a-z, 0-9 . _ -")


def command() -> TyperGroup:
    return group("operator", _about, {"add": add, "list": list_, "revoke": revoke})


def _about() -> None:
    """Add, list and revoke the people who may decide."""


def add(  # noqa: PLR0913 - one parameter for each option
    name: Annotated[str, _NAME],
    role: Annotated[Role, typer.Option(help="What they may do; each includes the ones before.")],
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the token ends: 8h, 90d. Default: never.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="The token is good for this target only; may be given again."),
    ] = None,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an operator and show the token, once. Needs an admin's token; the first admin needs none.

    With --target the token is good for pauses, decisions, links and runs there, and for no other act.
    Looking is not limited. An admin's token is good for every target.

    Example: hirewire operator add alice --role approver --target awx_prod --expires 90d
    """
    lasts, settings = _lasting(expires), settings_of(config)
    require_targets(settings, target or [])
    with opened(settings) as store:
        operators = Operators(store)
        by = _who_adds(store, operators, name, token_file)
        with refusing(ValueError):
            token = operators.add(name, role, by, lasts, target or None)
    if as_json:
        document(
            {"operator": name, "role": role.value, "targets": [*target] if target else None, "token": token}
        )
        return
    line(token)
    hint(f"the token of {name} ({role.value}), shown only now: keep it in a file that nobody else can read")


def _who_adds(store: SqlStore, operators: Operators, name: str, token_file: Path | None) -> Principal:
    """Without any active admin whoever sits at the terminal; the engine judges again under its lock."""
    if operators.needs_bootstrap():
        return Principal(os_user())
    return principal_of(store, f"operator:add:{name}", Role.ADMIN, token_file)


def _lasting(text: str | None) -> float | None:
    if text is None:
        return None
    found = _LASTS.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise UsageError(f"{text!r} is no time for a token to last: say 8h or 90d")
    return float(int(found[1]) * _SECONDS[found[2]])


def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the operators, without their tokens, which nobody has but they.

    Example: hirewire operator list
    """
    with opened(settings_of(config)) as store:
        found = Operators(store).all()
        with store.begin() as tx:
            now = tx.now
    if as_json:
        document({"operators": [_as_json(row, now) for row in found]})
    elif found:
        show(table(_COLUMNS, [_cells(row, now) for row in found]))
    else:
        line("there is no operator yet: `hirewire operator add NAME --role admin` makes the first")


def _state(row: OperatorRow, now: float) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "active" if row.active(now) else "expired"


def _cells(row: OperatorRow, now: float) -> tuple[object, ...]:
    ends = None if row.expires_at is None else moment(row.expires_at)
    scope = "all" if row.targets is None else " ".join(sorted(row.targets))
    return (row.name, row.role.value, scope, _state(row, now), row.created_by, moment(row.created_at), ends)


def _as_json(row: OperatorRow, now: float) -> Json:
    return {
        "name": row.name,
        "role": row.role.value,
        "targets": None if row.targets is None else [*sorted(row.targets)],
        "state": _state(row, now),
        "created_by": row.created_by,
        "created_at": stamp(row.created_at),
        "expires_at": None if row.expires_at is None else stamp(row.expires_at),
        "revoked_at": None if row.revoked_at is None else stamp(row.revoked_at),
    }


def revoke(
    name: Annotated[str, _NAME],
    why: WhyOption,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Make an operator's token void from now on. Needs an admin's token; the last admin stays.

    Example: hirewire operator revoke alice --why "left the team"
    """
    reason = reason_given(why)
    with opened(settings_of(config)) as store:
        by = principal_of(store, f"operator:revoke:{name}", Role.ADMIN, token_file)
        with refusing(ValueError):
            Operators(store).revoke(name, by, reason)
    line(f"the token of {name} is void")
