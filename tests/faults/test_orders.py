"""Five versions of one person, delivered in each of the 120 orders: one end, and never a step back.

Versions carry a `sequence`; each is a delta. Whatever comes when, the person and the target end the same,
and the target never shows an older version after a newer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.faults.conftest import POSTGRESQL, SQLITE, MakeDatabase
from tests.faults.world import ADMIN, QUICK, SOURCE, envelope, finish, mail_of, version_of
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for
from worker.storage import tables

pytestmark = pytest.mark.slow

ORDERS = list(permutations(range(1, 6)))
CHUNK = 12
_OWN = ("user_name", "email")
END = {"first_name": "V4", "last_name": "V5", "is_active": True}


def version(name: str, number: int) -> dict[str, Any]:
    """The first introduces the person; the second is a leaver's, the third takes that back."""
    data: dict[int, Mapping[str, Any]] = {
        1: {"user_name": name, "email": mail_of(name), "given_name": "V1", "family_name": "V1"},
        2: {"given_name": "V2", "active": False},
        3: {"given_name": "V3", "active": True, "family_name": "V3"},
        4: {"given_name": "V4"},
        5: {"family_name": "V5"},
    }
    return envelope(name, number, "changed", data[number])


@pytest.fixture
def rig(
    make_database: MakeDatabase, kind: str, tmp_path: Path, django_admin_target: ReferenceTarget
) -> Iterator[Rig]:
    engine = {**QUICK, "brake_min": 10_000, "revocation_recheck_s": 0}
    made = Rig(
        settings_for(make_database(kind), tmp_path, {"admin": django_admin_target}, engine, None, SOURCE)
    )
    yield made
    made.close()


@pytest.mark.parametrize("first", range(0, len(ORDERS), CHUNK))
@pytest.mark.parametrize("kind", [SQLITE, POSTGRESQL])
def test_every_order_of_five_versions_ends_the_same_and_never_goes_back(
    rig: Rig, django_admin_target: ReferenceTarget, first: int
) -> None:
    target, orders = django_admin_target, ORDERS[first : first + CHUNK]
    names = ["o" + "".join(map(str, order)) for order in orders]
    users = [{"username": n, "first_name": "V0", "last_name": "V0", "email": mail_of(n)} for n in names]
    target.reset(users=[ADMIN, *users])
    for place in range(5):  # all people at once: each of them receives the next one of its own order
        rig.accept(*(version(name, order[place]) for name, order in zip(names, orders, strict=True)))
        rig.fold()
        rig.sync()
    finish(rig)
    for name, row in target.users().items():
        if name != "admin":
            assert {field: row[field] for field in END} == END, name
    assert len(set(_wanted(rig, names))) == 1
    _never_back(target.writes())
    assert rig.verify().breaks == ()


def _wanted(rig: Rig, names: Sequence[str]) -> list[str]:
    """Each person as HR's word now stands, without what only tells who it is and which rows said so."""
    identity = tables.identity
    with rig.writer.connect() as connection:
        rows = connection.execute(sa.select(identity).where(identity.c.subject.in_(names))).all()
    assert len(rows) == len(names)
    return [_plain(row.attributes) for row in rows]


def _plain(attributes: Mapping[str, Any]) -> str:
    """Values and which version set them, but for the two that are everybody's own."""
    return str({name: held[:2] for name, held in sorted(attributes.items()) if name not in _OWN})


def _never_back(writes: Sequence[Mapping[str, Any]]) -> None:
    newest: dict[tuple[str, str], int] = {}
    for write in writes:
        for field in ("first_name", "last_name"):
            if field in write["body"]:
                place, number = (write["path"], field), version_of(write["body"][field])
                assert number > newest.get(place, 0), f"back to {number}: {write}"
                newest[place] = number
