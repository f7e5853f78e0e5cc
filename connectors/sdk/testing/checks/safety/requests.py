"""What leaves and what is let in: methods, addresses, bodies, sizes, threads."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from connectors.sdk.contract import Connector
from connectors.sdk.model import OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import patched
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, deleting, many_accounts
from connectors.sdk.testing.exchange import JSON_TYPE, Answer

READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WRITES: Final = frozenset({"PATCH", "POST", "DELETE"})
NO_IDS: Final = ("", "..", "../1", "1/2", "1/../2", "1?x=1", "1#x", "%2e%2e%2f1", "1 ", "1\n")
PEOPLE: Final = 4
ROUNDS: Final = 3


@check()
def reads_write_nothing(bench: Bench) -> None:
    """A target in `mode = "observe"` is only read. Catches a search by POST, a check that tries a write."""
    _read_all(bench)
    written = [f"{request.method} {request.target}" for request in bench.requests()]
    written = [line for line in written if line.split(" ")[0] not in READS]
    assert not written, f"check, probe, find, fetch, scan and superusers must only read; they sent {written}"


@check()
def nothing_is_put(bench: Bench) -> None:
    """PUT resets what it leaves out. Catches a whole account written where a PATCH was meant."""
    (remote_id,) = bench.seed()
    bench.connector().patch(remote_id, bench.change())
    methods = {request.method for request in bench.requests()}
    assert methods <= READS | WRITES, f"methods that are never used: {sorted(methods - READS - WRITES)}"


@check()
def odd_ids_are_not_read(bench: Bench) -> None:
    """A remote id that is a path or a query leads to another address. Catches one that is pasted in."""
    _refused(bench, lambda connector, remote_id: connector.fetch(remote_id).kind)


@check()
def odd_ids_are_not_written(bench: Bench) -> None:
    """The same for a write. Catches a change of whoever lives at `../1`."""
    change = bench.change()
    _refused(bench, lambda connector, remote_id: connector.patch(remote_id, change).kind)


@check(needs=deleting)
def odd_ids_are_not_deleted(bench: Bench) -> None:
    """The same for a deletion: an empty id is the address of everybody."""
    _refused(bench, lambda connector, remote_id: connector.delete(remote_id).kind)


@check()
def account_addresses_have_no_query(bench: Bench) -> None:
    """A filter on one account's address hides it (AWX, authentik). Catches default parameters."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    path = connector.path_of(remote_id)
    connector.fetch(remote_id)
    connector.patch(remote_id, bench.change())
    asked = [request.target for request in bench.requests() if request.path == path and request.query]
    assert not asked, f"an account's address was asked with a query: {asked}"


@check()
def changes_are_json_objects(bench: Bench) -> None:
    """Text and flags leave as one JSON object. Catches a form, in which null and false are words."""
    (remote_id,) = bench.seed()
    bench.connector().patch(remote_id, bench.change())
    for write in bench.writes():
        kind = write.headers.get("content-type", "")
        assert kind.startswith(JSON_TYPE), f"a change was sent as {kind!r}, it must be {JSON_TYPE}"
        assert isinstance(write.json(), dict), "a change must be one JSON object"


@check()
def oversized_answers_are_not_read(bench: Bench) -> None:
    """4 MiB are enough for anybody. Catches a worker that a broken proxy fills up."""
    outcome = patched(bench, faults.oversized)
    assert outcome.kind is OutcomeKind.AMBIGUOUS, (
        f"an answer of 5 MiB was read and taken as {outcome.kind.name}; more than 4 MiB is AMBIGUOUS"
    )


@check()
def packed_answers_are_measured_unpacked(bench: Bench) -> None:
    """A few kilobytes of gzip can be gigabytes. Catches a limit on what came over the wire."""
    outcome = patched(bench, faults.rewrites(_packed))
    assert outcome.kind is OutcomeKind.AMBIGUOUS, (
        f"5 MiB in a few kilobytes of gzip were taken as {outcome.kind.name}; more than 4 MiB is AMBIGUOUS"
    )


@check(needs=many_accounts)
def threads_are_kept_apart(bench: Bench) -> None:
    """A connector is called from many threads, for different accounts. Catches state that one call leaves
    to another.
    """
    ids = bench.seed(PEOPLE) * ROUNDS
    connector = bench.connector()
    name = bench.descriptor.correlation
    with ThreadPoolExecutor(PEOPLE) as pool:
        records = [outcome.record or {} for outcome in pool.map(connector.fetch, ids)]
    for remote_id, record in zip(ids, records, strict=True):
        wanted = bench.person(bench.seeded[remote_id])[name]
        assert record.get(name) == wanted, (
            f"read by {PEOPLE} threads, the account {remote_id} came back as {record.get(name)!r}"
        )


def _read_all(bench: Bench) -> None:
    """Every method that reads."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.check()
    connector.probe()
    connector.find(bench.wanted(1))
    connector.find({bench.descriptor.correlation: ("nobody.of.this.name",)})
    connector.fetch(remote_id)
    connector.path_of(remote_id)
    connector.scan(None)
    connector.superusers(None)


def _refused(bench: Bench, call: Callable[[Connector, str], OutcomeKind]) -> None:
    """No id of the list is sent anywhere. The owner's endpoint, which names nobody, may be read."""
    bench.seed()
    connector = bench.connector()
    for remote_id in NO_IDS:
        kind = call(connector, remote_id)
        sent = [f"{request.method} {request.target}" for request in bench.requests()]
        if bench.descriptor.owner_only:
            sent = [line for line in sent if not line.startswith("GET ")]
        assert not sent, f"the remote id {remote_id!r} must send nothing, it sent {sent}"
        assert kind is OutcomeKind.REJECTED, f"the remote id {remote_id!r} was taken as {kind.name}"


def _packed(answer: Answer) -> Answer:
    body = gzip.compress(b" " * (5 * 1024 * 1024) + answer.body)
    return replace(answer, headers={**answer.headers, "Content-Encoding": "gzip"}, body=body)
