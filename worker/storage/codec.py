"""Rows to domain values and back. Short keys: the state of an account is written on every PATCH."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.domain.account import Account, Approval, Doubt, Hold, Ignored, Reason, Sent, Write
from worker.domain.event import Event
from worker.domain.identity import Asserted, Identity, Mark

_NULLABLE = ("seen", "recheck")  # an empty one is not the same as none


def account_state(account: Account) -> dict[str, Any]:
    """What of an account has no column of its own. Defaults are left out."""
    state = {
        "seen": account.observed,
        "at": account.observed_at,
        "read": account.must_read,
        "doubt": _doubt(account.doubt),
        "recheck": account.recheck_at,
        "level": account.level,
        "tries": account.attempts,
        "fail": account.failure,
        "since": account.failing_since,
        "crash": account.crashes,
        "demoted": account.demoted,
        "sent": {name: [sent.reference, sent.content] for name, sent in account.sent.items()},
        "ignored": {name: [mark.value_hash, mark.reads] for name, mark in account.ignored.items()},
        "approved": {n: [a.decision, a.binds, a.until, a.by] for n, a in account.approvals.items()},
        "heeded": account.heeded,
    }
    return {key: value for key, value in state.items() if value or (key in _NULLABLE and value is not None)}


def _doubt(doubt: Doubt | None) -> list[Any] | None:
    if doubt is None:
        return None
    return [
        doubt.request,
        dict(doubt.changes),
        doubt.at,
        doubt.revision,
        doubt.revocation,
        doubt.write.value,
        doubt.correlation,
    ]


def _read_doubt(raw: list[Any] | None) -> Doubt | None:
    if not raw:
        return None
    request, changes, at, revision, revocation, write, *correlation = raw  # none before 0002
    return Doubt(request, changes, at, revision, revocation, Write(write), *correlation)


def held_state(held: Mapping[str, Hold]) -> dict[str, Any] | None:
    """None when nothing is held, so that the index on `held` is small."""
    return {name: _hold(hold) for name, hold in held.items()} or None


def _hold(hold: Hold) -> list[Any]:
    known = [] if hold.holder is None else [hold.holder]
    return [hold.reason.value, hold.message, hold.value_hash, hold.since, *known]


def read_held(raw: Mapping[str, Any] | None) -> dict[str, Hold]:
    return {name: Hold(Reason(reason), *rest) for name, (reason, *rest) in (raw or {}).items()}


def read_account(row: Any) -> Account:  # noqa: ANN401 - a row of the account table
    state: Mapping[str, Any] = row.state
    doubt = state.get("doubt")
    return Account(
        id=row.id,
        identity_id=row.identity_id,
        target_id=row.target_id,
        remote_id=row.remote_id,
        applied_revision=row.applied_revision,
        observed=state.get("seen"),
        observed_at=state.get("at", 0.0),
        must_read=state.get("read", False),
        doubt=_read_doubt(doubt),
        recheck_at=state.get("recheck"),
        level=state.get("level", 0),
        attempts=state.get("tries", 0),
        failure=state.get("fail", ""),
        failing_since=state.get("since", 0.0),
        crashes=state.get("crash", 0),
        demoted=state.get("demoted", False),
        mapping_hash=row.mapping_hash,
        sent={name: Sent(*raw) for name, raw in state.get("sent", {}).items()},
        ignored={name: Ignored(*mark) for name, mark in state.get("ignored", {}).items()},
        held=read_held(row.held),
        approvals={name: Approval(*raw) for name, raw in state.get("approved", {}).items()},
        heeded=state.get("heeded", 0),
    )


def identity_state(identity: Identity) -> tuple[dict[str, Any], dict[str, Any]]:
    """The `attributes` and `snapshots` columns."""
    attributes = {
        name: [held.value, held.order, held.event, held.revision, held.source, list(held.former)]
        for name, held in identity.attributes.items()
    }
    return attributes, {source: [mark.order, mark.event] for source, mark in identity.snapshots.items()}


def read_identity(row: Any) -> Identity:  # noqa: ANN401 - a row of the identity table
    attributes = {
        name: Asserted(raw[0], raw[1], raw[2], raw[3], raw[4], tuple(raw[5]))
        for name, raw in row.attributes.items()
    }
    snapshots = {source: Mark(*mark) for source, mark in row.snapshots.items()}
    return Identity(row.subject, row.revision, attributes, snapshots)


def read_event(row: Any) -> Event:  # noqa: ANN401 - a row of the event table
    return Event(
        source=row.source,
        id=row.event_id,
        type=row.type,
        subject=row.subject,
        time=row.time,
        order=row.order_key,
        snapshot=row.snapshot,
        assertions=row.assertions,
        body_hash=row.body_hash,
    )
