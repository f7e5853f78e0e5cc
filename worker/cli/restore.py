"""`hirewire restore`: what has to be done after the database was set back, before a worker starts."""

from __future__ import annotations

from dataclasses import asdict

from typer.core import TyperCommand

from connectors.sdk.model import Json
from worker.anchors import build_sealer, checkpoint_path
from worker.cli.common import ConfigOption, JsonOption, settings_of, single, writing
from worker.cli.failures import refusing
from worker.cli.output import document, hint, line
from worker.cli.principal import TokenFileOption, WhyOption, principal_or_user, reason_given
from worker.domain.operator import Role
from worker.engine.accept import STREAM as INTAKE
from worker.storage.restore import Missing, Restored, Restorer, compared
from worker.storage.seal import SealError
from worker.storage.store import SqlStore
from worker.storage.verify import in_short_reads


def command() -> TyperCommand:
    return single(restore, "restore")


def restore(
    why: WhyOption,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """After a restore of the database: have every account read before anything is written to it.

    Stop all workers first: their leases are ended. Tells by the checkpoints how much is missing, and begins
    them anew with a line that says so. Safe to run again. Needs an admin's token where operators exist.

    Example: hirewire restore --why "disk lost, backup of 02:00"
    """
    reason, settings = reason_given(why), settings_of(config)
    with writing(settings) as engine:
        store = SqlStore(engine, settings.engine.shards)
        by = principal_or_user(store, "database:restore", Role.ADMIN, token_file)
        sealer = build_sealer(settings, store)
        with refusing(SealError):
            sealer.require_ready()
            missing = compared(in_short_reads(engine), checkpoint_path(settings))
            done = Restorer(engine, store, sealer).run(missing, by.actor, reason)
    if as_json:
        document(_as_json(done))
    else:
        _tell(done)


def _tell(done: Restored) -> None:
    line(f"{done.accounts} accounts are read before anything is written to them")
    line(f"{done.leases} leases of accounts and {done.slots} of slots were ended")
    for item in done.missing:
        line(_missing(item))
    if not done.missing:
        line("the database holds everything that the checkpoints tell of")
    line(f"checkpoint {done.checkpoint.number} says that the database was set back")
    hint("send every event since the backup again: what is known counts as a duplicate")


def _missing(item: Missing) -> str:
    what = "events and other records at the door" if item.stream == INTAKE else "records"
    since = f", sealed at {item.at}" if item.at and item.agreed else ""
    return (
        f"{item.stream}: up to {item.records} {what} are missing: {item.agreed} of {item.sealed} agree{since}"
    )


def _as_json(done: Restored) -> Json:
    missing: list[Json] = [{**asdict(item), "records": item.records} for item in done.missing]
    return {
        "accounts": done.accounts,
        "leases": done.leases,
        "slots": done.slots,
        "missing": missing,
        "checkpoint": done.checkpoint.number,
    }
