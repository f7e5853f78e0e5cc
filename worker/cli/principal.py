"""Who acts at the command line. A command that changes what is sent calls this before anything else.

The token comes from `--token-file` or HIREWIRE_OPERATOR_TOKEN, never from an argument, which every user
of the machine could read. Viewing needs none: whoever runs a command can read the database anyhow.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from config.environment import TOKEN_VARIABLE
from config.secrets import SecretError, read_secret
from config.settings import Settings
from worker.cli.common import writing
from worker.cli.failures import UsageError
from worker.cli.operator_name import operator
from worker.domain.operator import Principal, Role
from worker.engine.operators import Operators
from worker.engine.ports import Store
from worker.storage.store import SqlStore

TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help=f"Holds your operator token; default {TOKEN_VARIABLE}."
    ),
]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the audit.")]


@contextmanager
def opened(settings: Settings) -> Iterator[SqlStore]:
    """The store of a migrated database, for a command that changes something."""
    with writing(settings) as engine:
        yield SqlStore(engine, settings.engine.shards)


def principal_of(
    store: Store,
    what: str,
    at_least: Role,
    token_file: Path | None = None,
    at: Collection[str] | None = None,
) -> Principal:
    """Who acts, by their token. Raises NotAllowedError, and the refusal is in the audit.

    `what` is the action as the audit names it, for example `held:approve`; `at`: the targets that it is done
    to. None: all of them, or what concerns none, which no token with a scope is good for.
    """
    operators = Operators(store)
    token = _token(token_file)
    if token is None:
        raise operators.refuse(operator(), at_least, what, _way_out(at_least, operators))
    return operators.authenticate(token, at_least, what, at)


def principal_or_user(
    store: Store,
    what: str,
    at_least: Role,
    token_file: Path | None = None,
    at: Collection[str] | None = None,
) -> Principal:
    """As `principal_of`; while nobody was ever added as operator, also the user of the operating system."""
    if _token(token_file) is None and not Operators(store).exist():
        return Principal(operator())
    return principal_of(store, what, at_least, token_file, at)


def reason_given(why: str) -> str:
    """The reason without blanks around it. Raises UsageError where there is none."""
    if not why.strip():
        raise UsageError("--why needs a reason: it is what the audit will say")
    return why.strip()


def _token(file: Path | None) -> str | None:
    if file is not None:
        try:
            return read_secret(file)
        except SecretError as error:
            raise UsageError(f"--token-file {error}") from None
    return os.environ.get(TOKEN_VARIABLE, "").strip() or None


def _way_out(at_least: Role, operators: Operators) -> str:
    needs = f"this needs the token of an operator with the role {at_least.value}: "
    if operators.needs_bootstrap():
        return f"{needs}there is no admin yet, `hirewire operator add NAME --role admin` makes the first"
    return f"{needs}set {TOKEN_VARIABLE} or --token-file, or ask an admin for `hirewire operator add`"
