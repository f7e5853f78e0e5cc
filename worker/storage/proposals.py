"""Rows of enrolments: what would be linked, and the people that accounts are compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from worker.domain.enrol import Verdict
from worker.engine.enrol_ports import ENROL, Called, Proposal
from worker.engine.rows import OVER, Run
from worker.storage.codec import read_account, read_identity
from worker.storage.runs import read_run
from worker.storage.tables import account, identity, identity_name, proposal, run

_CROWD = 20  # people of one name; of more nobody can say whose an account is
_CHUNK = 500  # both databases limit the variables of one statement
_OPEN_VERDICTS = (Verdict.LINK, Verdict.WEAK)


class ProposalRows:
    """See `worker.engine.enrol_ports.Proposals`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def bearers(
        self, target_id: int, attributes: Collection[str], names: Collection[str]
    ) -> dict[str, list[Called] | None]:
        ids = self._called(sorted(attributes), sorted(names))
        some = {name: whose for name, whose in ids.items() if len(whose) <= _CROWD}
        known = self._people(target_id, sorted(set().union(*some.values())))
        crowds: dict[str, list[Called] | None] = dict.fromkeys(ids.keys() - some.keys())
        return {
            **crowds,
            **{name: [known[row] for row in sorted(whose) if row in known] for name, whose in some.items()},
        }

    def _called(self, attributes: Sequence[str], names: Sequence[str]) -> dict[str, set[int]]:
        found: defaultdict[str, set[int]] = defaultdict(set)
        for start in range(0, len(names), _CHUNK):
            asked = identity_name.c.name.in_(names[start : start + _CHUNK])
            query = sa.select(identity_name.c.name, identity_name.c.identity_id)
            alike = query.where(identity_name.c.attribute.in_(attributes), asked)
            for row in self._connection.execute(alike):
                found[row.name].add(row.identity_id)
        return found

    def _people(self, target_id: int, ids: Sequence[int]) -> dict[int, Called]:
        found: dict[int, Called] = {}
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            people = sa.select(identity).where(identity.c.id.in_(some), identity.c.merged_into.is_(None))
            found |= {one.row: one for one in self._with_accounts(target_id, people)}
        return found

    def _with_accounts(self, target_id: int, people: sa.Select[Any]) -> list[Called]:
        rows = self._connection.execute(people).all()
        theirs = sa.select(account).where(
            account.c.target_id == target_id, account.c.identity_id.in_([row.id for row in rows])
        )
        accounts = {row.identity_id: read_account(row) for row in self._connection.execute(theirs)}
        return [Called(row.id, read_identity(row), accounts.get(row.id)) for row in rows]

    def people(self, run_id: int, target_id: int, after: int, limit: int) -> list[Called]:
        linked = sa.exists().where(
            account.c.identity_id == identity.c.id,
            account.c.target_id == target_id,
            account.c.remote_id.is_not(None),
        )
        named = sa.exists().where(proposal.c.run_id == run_id, proposal.c.identity_id == identity.c.id)
        meant = identity.c.merged_into.is_(None), sa.or_(~linked, named)
        query = sa.select(identity).where(identity.c.id > after, *meant)
        return self._with_accounts(target_id, query.order_by(identity.c.id).limit(limit))

    def add(self, run_id: int, rows: Sequence[Proposal]) -> None:
        if rows:
            self._connection.execute(sa.insert(proposal), [_values(run_id, row) for row in rows])

    def about(self, run_id: int, people: Collection[int]) -> list[Proposal]:
        query = sa.select(proposal).where(
            proposal.c.run_id == run_id, proposal.c.identity_id.in_(sorted(people))
        )
        ordered = query.order_by(proposal.c.identity_id, proposal.c.remote_id)
        return [read_proposal(row) for row in self._connection.execute(ordered)]

    def doubt(self, run_id: int, people: Collection[int]) -> None:
        theirs = sa.and_(proposal.c.run_id == run_id, proposal.c.identity_id.in_(sorted(people)))
        asked = sa.update(proposal).where(theirs, proposal.c.named, proposal.c.verdict.in_(_OPEN_VERDICTS))
        self._connection.execute(asked.values(verdict=Verdict.AMBIGUOUS))

    def links(self, run_id: int, after: int, limit: int) -> list[Proposal]:
        meant = sa.and_(proposal.c.run_id == run_id, proposal.c.verdict == Verdict.LINK)
        query = sa.select(proposal).where(meant, proposal.c.id > after).order_by(proposal.c.id).limit(limit)
        return [read_proposal(row) for row in self._connection.execute(query)]

    def counts(self, run_id: int) -> dict[str, int]:
        accounts, rows = sa.func.count(proposal.c.remote_id.distinct()), sa.func.count()
        query = sa.select(proposal.c.verdict, accounts, rows).where(proposal.c.run_id == run_id)
        found = self._connection.execute(query.group_by(proposal.c.verdict))
        return {verdict: many or people for verdict, many, people in found}

    def forget(self, run_id: int) -> None:
        self._connection.execute(sa.delete(proposal).where(proposal.c.run_id == run_id))

    def running(self, target: str) -> list[Run]:
        query = sa.select(run).where(run.c.kind == ENROL, run.c.state.not_in(OVER)).order_by(run.c.id)
        runs = [read_run(row) for row in self._connection.execute(query)]
        return [one for one in runs if one.selection.get("targets") == [target]]


def _values(run_id: int, row: Proposal) -> dict[str, Any]:
    said = {"agrees": list(row.agrees), "name": row.name, "other": row.other, "shows": dict(row.shows)}
    return {
        "run_id": run_id,
        "remote_id": row.remote_id,
        "identity_id": row.row,
        "verdict": row.verdict,
        "named": row.named,
        "evidence": {key: value for key, value in said.items() if value},
    }


def read_proposal(row: Any) -> Proposal:  # noqa: ANN401 - a row
    said: Mapping[str, Any] = row.evidence
    return Proposal(
        Verdict(row.verdict),
        row.remote_id,
        row.identity_id,
        bool(row.named),
        tuple(said.get("agrees", ())),
        said.get("name"),
        said.get("other"),
        said.get("shows", {}),
        row.id,
    )
