"""Guards: what may not be sent although HR says so (DESIGN section 4). Pure.

A grant needs the target's policy for that field; a removal always passes and is a revocation.
For a set of ids the removals are sent and the additions are judged.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from connectors.sdk.fields import Field, FieldType
from connectors.sdk.model import Json
from worker.domain.account import Account, Hold, Reason
from worker.domain.policy import Policy
from worker.domain.strict_json import digest


@dataclass(frozen=True, slots=True)
class Verdict:
    """`send` says whether `value` goes out now; `hold` is set where a grant does not."""

    send: bool
    value: Json = None
    revocation: bool = False
    hold: Hold | None = None


def judge(spec: Field, policy: Policy, before: Json, after: Json, now: float) -> Verdict:
    """Judge one changed field."""
    if spec.name == policy.name_field and is_protected_name(after, policy):
        return _taken_name(spec, policy, after, now)
    if spec.name == policy.active_field:
        return Verdict(send=True, value=after, revocation=after is False)
    if not spec.privileged:
        return Verdict(send=True, value=after)
    if spec.type in (FieldType.ID_SET, FieldType.NAME_SET):
        return _judge_set(spec, policy, before, after, now)
    if spec.type is FieldType.BOOLEAN and after is False:
        return Verdict(send=True, value=after, revocation=True)
    return _grant(spec, policy, after, now)


def approved(verdict: Verdict, after: Json) -> Verdict:
    """The verdict on a grant that somebody approved. Removals of the same set still go first."""
    if verdict.send or verdict.hold is None or verdict.hold.reason is not Reason.APPROVAL:
        return verdict
    return Verdict(send=True, value=after)


def _taken_name(spec: Field, policy: Policy, after: Json, now: float) -> Verdict:
    """Nobody is given the name of a protected account, whether or not there is one."""
    message = f"{spec.name} is a protected name: targets.{policy.target}.protected"
    return Verdict(send=False, hold=Hold(Reason.PROTECTED, message, digest(after), now))


def _grant(spec: Field, policy: Policy, after: Json, now: float) -> Verdict:
    rule = policy.privileged.get(spec.name, "deny")
    if rule == "allow":
        return Verdict(send=True, value=after)
    reason = Reason.APPROVAL if rule == "approve" else Reason.PRIVILEGED
    words = "waits for an approval" if rule == "approve" else "is denied"
    message = f'granting {spec.name} {words}: targets.{policy.target}.privileged.{spec.name} = "{rule}"'
    return Verdict(send=False, hold=Hold(reason, message, digest(after), now))


def _judge_set(spec: Field, policy: Policy, before: Json, after: Json, now: float) -> Verdict:
    have = before if isinstance(before, list) else []
    want = after if isinstance(after, list) else []
    kept = [item for item in have if item in want]
    added = any(item not in have for item in want)
    removed = len(kept) < len(have)
    granted = _grant(spec, policy, after, now) if added else Verdict(send=True, value=after)
    if granted.send and not removed:
        return granted
    return Verdict(send=removed, value=kept, revocation=removed, hold=granted.hold)


def is_protected_name(name: Json, policy: Policy) -> bool:
    """Whether a server might take the name for a protected one: case, width and invisible signs aside."""
    return isinstance(name, str) and _plain(name) in _all_plain(policy.protected_names)


@lru_cache(maxsize=64)
def _all_plain(names: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_plain, names))


def _plain(name: str) -> str:
    visible = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible).casefold().strip()


def protection(account: Account, policy: Policy, now: float) -> Hold | None:
    """A hold when the account may not be changed at all."""
    named = is_protected_name((account.observed or {}).get(policy.name_field), policy)
    if account.remote_id not in policy.protected_ids and not named:
        return None
    message = f"the account is protected: targets.{policy.target}.protected"
    return Hold(Reason.PROTECTED, message, digest(account.remote_id), now)


def brake_limit(accounts: int, least: int, share: float) -> int:
    """How many revocations a target may see in one window before the further ones are held."""
    return max(least, int(accounts * share))
