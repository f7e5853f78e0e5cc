"""Read-only questions about what an enrolment proposes: what `hirewire runs proposals` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.enrol import Verdict
from worker.storage.in_pages import in_pages
from worker.storage.proposals import read_proposal
from worker.storage.tables import identity, proposal
from worker.storage.verify import Ask


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One line. `remote_id` None: a person without an account; `subject` None: nobody's account.

    `other`: the account that the person is linked to.
    """

    id: int
    verdict: Verdict
    remote_id: str | None
    name: Json
    subject: str | None
    agrees: tuple[str, ...]
    other: str | None


def proposal_rows(
    ask: Ask, run_id: int, verdict: Verdict | None = None, after: int = 0
) -> Iterator[ProposalRow]:
    """All behind this one in the order in which they were made, however many."""
    whose = proposal.outerjoin(identity, identity.c.id == proposal.c.identity_id)
    query = sa.select(proposal, identity.c.subject).select_from(whose).where(proposal.c.run_id == run_id)
    if verdict is not None:
        query = query.where(proposal.c.verdict == verdict)
    return map(_row, in_pages(ask, query, proposal.c.id, after))


def _row(row: Any) -> ProposalRow:  # noqa: ANN401 - a row
    known = read_proposal(row)
    return ProposalRow(
        known.id, known.verdict, known.remote_id, known.name, row.subject, known.agrees, known.other
    )
