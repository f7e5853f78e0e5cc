"""The way out of each hold, in a few words; `docs/operations.md` tells more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.domain.account import Reason

WAYS_OUT: Final[Mapping[Reason, str]] = {
    Reason.VALUE: "correct it in HR, or change the mapping",
    Reason.MAPPING: "change the expression, or correct what it reads in HR",
    Reason.REJECTED: "correct it in HR; or mend its cause at the target and `hirewire held retry`",
    Reason.UNIQUE: "it ends by itself when the other account gives the value up",
    Reason.IGNORED: "find out at the target why, set it by hand and resync; or give the field up",
    Reason.PRIVILEGED: "nobody can approve of it: targets.NAME.privileged decides",
    Reason.APPROVAL: "an approver decides: `hirewire held approve` or `held reject`",
    Reason.PROTECTED: "targets.NAME.protected keeps it, or it is the last superuser: make another one",
    Reason.BRAKE: "an approver lets it pass with `hirewire held approve`; or `held retry` after the window",
    Reason.MISSING: 'make the account and resync, or say targets.NAME.on_missing = "create"',
    Reason.MATCHES: "`hirewire account link` says which; or make a second text agree there, and resync",
    Reason.LEAVER: "take the account's rights away at the target by hand",
    Reason.RETURNED: "set a password at the target; then an approver says `hirewire held approve`",
    Reason.SCOPE: "targets.NAME.on_leave_scope decides what becomes of the account",
    Reason.FAULT: "look into the logs, then `hirewire held retry`",
    Reason.CRASHED: "find out why the workers died, then `hirewire held retry`",
    Reason.DISCARDED: "another value from HR, or `hirewire held retry`",
    Reason.DECLINED: "another value from HR, or a later `hirewire held approve`",
    Reason.UNLINKED: "`hirewire account link` names the right account; `hirewire held retry` has it searched",
}


def way_out(reason: Reason, target: str) -> str:
    return WAYS_OUT[reason].replace("NAME", target)
