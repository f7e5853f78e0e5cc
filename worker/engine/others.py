"""Who else is concerned by what a search found: asked in the same way by a sync and by a rehearsal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.sdk.model import Found
from worker.domain.identity import Identity
from worker.engine.job import Answer

Owners = Callable[[int, Sequence[str]], Mapping[str, int]]  # target, remote ids -> remote id: account
Named = Callable[[int, int], Sequence[Identity]]  # identity, target -> who is or was called alike


def taken(answer: Answer, owners: Owners) -> frozenset[str]:
    """Remote ids among the matches that other identities own."""
    if not isinstance(answer.result, Found):
        return frozenset()
    ids = [match.remote_id for match in answer.result.matches]
    found = owners(answer.job.target.id, ids)
    return frozenset(remote for remote, owner in found.items() if owner != answer.job.account.id)


def namesakes(answer: Answer, named: Named) -> Sequence[Identity]:
    """Who else without an account may be whom a match speaks for."""
    if not isinstance(answer.result, Found) or not answer.result.matches:
        return ()
    return named(answer.job.account.identity_id, answer.job.target.id)
