"""The door: what is refused, with the place; what is stored; what is recorded."""

from __future__ import annotations

import json
import threading

import pytest

from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from worker.engine.accept import Receipt
from worker.engine.rows import Acceptance


def refuse(rig: Rig, raw: bytes) -> Receipt:
    (receipt,) = rig.runtime.intake.accept([raw], "test")
    assert receipt.verdict is Acceptance.REFUSED
    return receipt


BASE = {
    "specversion": "1.0",
    "id": "x1",
    "source": "hr",
    "type": "hirewire.person.changed",
    "subject": "E1",
    "time": "2026-01-01T00:00:00Z",
    "data": {"given_name": "Anna"},
}


def deep(levels: int) -> object:
    return {"a": deep(levels - 1)} if levels else "end"


BAD = {
    "malformed JSON": (b'{"id": ', ""),
    "not an object": (b"[1]", ""),
    "NaN": (json.dumps({**BASE, "data": {"custom": {"x": float("nan")}}}).encode(), "/data/custom/x"),
    "duplicate keys": (json.dumps(BASE).replace('"id"', '"id": "y", "id"').encode(), "/id"),
    "nesting": (json.dumps({**BASE, "data": {"custom": deep(16)}}).encode(), "/data/custom" + "/a" * 14),
    "oversize": (json.dumps({**BASE, "data": {"title": "x" * 262_144}}).encode(), ""),
    "a missing subject": (json.dumps({k: v for k, v in BASE.items() if k != "subject"}).encode(), "/subject"),
    "an unknown type": (json.dumps({**BASE, "type": "hirewire.person.chnged"}).encode(), "/type"),
    "an unknown source": (json.dumps({**BASE, "source": "elsewhere"}).encode(), "/source"),
    "an unknown attribute": (json.dumps({**BASE, "data": {"givenname": "A"}}).encode(), "/data/givenname"),
    "a wrong type": (json.dumps({**BASE, "data": {"active": "yes"}}).encode(), "/data/active"),
    "no authority": (json.dumps({**BASE, "data": {"title": "Boss"}}).encode(), "/data/title"),
    "a bad time": (json.dumps({**BASE, "time": "yesterday"}).encode(), "/time"),
}


@pytest.mark.parametrize(("raw", "pointer"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_its_place_and_recorded(rig: Rig, raw: bytes, pointer: str) -> None:
    receipt = refuse(rig, raw)
    assert receipt.refusal is not None
    assert receipt.refusal.pointer == pointer
    (record,) = rig.audit("event:accept:")
    assert (record["action"], record["pointer"]) == ("event:accept:refused", pointer)


def test_one_bad_event_never_sinks_the_rest(rig: Rig) -> None:
    raws = [json.dumps(BASE).encode(), b"{", json.dumps({**BASE, "id": "x2"}).encode()]
    receipts = rig.runtime.intake.accept(raws, "test")
    assert [receipt.verdict.value for receipt in receipts] == ["accepted", "refused", "accepted"]
    assert rig.fold() == 2


def test_a_duplicate_answers_as_the_first_did_and_another_body_is_refused(rig: Rig) -> None:
    first, again = rig.accept(BASE, BASE)
    (other,) = rig.accept({**BASE, "data": {"given_name": "Eve"}})
    assert (first.verdict.value, again.verdict.value, other.verdict.value) == (
        "accepted",
        "duplicate",
        "refused",
    )
    assert other.refusal is not None
    assert other.refusal.pointer == "/id"
    assert rig.fold() == 1


def test_an_event_from_the_future_waits_for_its_time(rig: Rig) -> None:
    rig.accept({**BASE, "time": "2126-01-01T00:00:00Z"})
    assert rig.fold() == 0


def test_the_broker_door_takes_only_sources_that_may_use_it(rig: Rig) -> None:
    rig.runtime.ingest([BASE], {})
    (record,) = rig.audit("event:accept:")
    assert (record["action"], record["reason"]) == ("event:accept:refused", "may not send events this way")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [([], {}), ([1, 2], {}), ([None], {}), (["{"], {}), ([], {"who": "knows"}), (["\ud800"], {})],
)
def test_whatever_reaches_the_broker_door_is_recorded(
    rig: Rig, args: list[object], kwargs: dict[str, object]
) -> None:
    rig.runtime.ingest(args, kwargs)  # type: ignore[arg-type]
    assert rig.actions("event:") == ["event:accept:refused"]


def test_an_event_through_the_broker_door_is_folded(make_rig: MakeRig) -> None:
    rig = make_rig(source={"ingest": True})
    rig.runtime.ingest([BASE], {})
    rig.runtime.ingest([], {"event": {**BASE, "id": "x2"}})
    assert rig.fold() == 2
    assert {record["actor"] for record in rig.audit("event:")} == {"broker"}


def test_folds_at_once_fold_each_event_once(make_rig: MakeRig, database_url: str) -> None:
    rig = make_rig(database=database_url, engine={"fold_batch": 5})
    rig.accept(*(rig.event(f"E{n % 7}", {"given_name": f"N{n}"}) for n in range(60)))
    counts: list[int] = []
    workers = [threading.Thread(target=lambda: counts.append(rig.fold())) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rig.fold()
    with rig.runtime.store.begin() as tx:
        people = tx.identities.lock([f"E{n}" for n in range(7)], tx.now)
    assert {subject: person.values()["given_name"] for subject, (_, person) in people.items()} == {
        f"E{n % 7}": f"N{n}" for n in range(53, 60)
    }
