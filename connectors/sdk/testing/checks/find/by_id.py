"""Reading one account by its id: that one, what it shows, and nothing that was not asked for."""

from __future__ import annotations

from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, declares, many_accounts
from connectors.sdk.testing.listing_faults import each_value, without_text
from connectors.sdk.testing.strangers import id_of_nobody
from connectors.sdk.testing.tap import Turn, reads

SECRET = "pbkdf2_sha256$720000$canary"  # noqa: S105  # what no record may hold


@check(needs=many_accounts)
def an_unknown_id_is_missing(bench: Bench) -> None:
    """An id that the server never gave is MISSING, in the server's own words. Catches an API whose *not
    found* is another status or a page, and is taken for a fault.
    """
    bench.seed()
    outcome = bench.connector().fetch(id_of_nobody(bench))
    assert outcome.kind is OutcomeKind.MISSING, (
        f"the server has no such account; `fetch` said {outcome.kind.name} ({outcome.detail})"
    )


@check()
def keys_of_no_document_stay_out(bench: Bench) -> None:
    """A record holds documented fields and nothing else. Catches a record that is the answer as it came:
    what nobody looked at reaches audit and logs.
    """
    (remote_id,) = bench.seed()
    bench.misbehave(faults.rewrites_json(lambda body: {**body, "undocumented": "canary"}), reads)
    record = bench.connector().fetch(remote_id).record or {}
    strange = [name for name in record if bench.descriptor.field(name) is None]
    assert not strange, f"the record holds {strange}, which no row of the field table knows"


@check()
def absent_keys_stay_absent(bench: Bench) -> None:
    """A field that the answer does not show is not in the record. Catches a default in its place: what was
    never seen is compared, and *corrected*.
    """
    (remote_id,) = bench.seed()
    (name,) = bench.change()
    bench.misbehave(without_text(str(bench.person(1)[name])), reads)
    record = bench.connector().fetch(remote_id).record or {}
    assert name not in record, f"the answer does not show {name}; the record says {record[name]!r}"


@check(needs=declares(lambda field: field.write_only))
def secrets_stay_out(bench: Bench) -> None:
    """A server that shows a password or its hash shows it to nobody else. Catches a write-only field in a
    record, from where it would reach the database.
    """
    (remote_id,) = bench.seed()
    names = [field.name for field in bench.descriptor.fields if field.write_only]
    shown: dict[str, Json] = dict.fromkeys(names, SECRET)
    bench.misbehave(faults.rewrites_json(lambda body: {**body, **shown}), reads)
    outcome = bench.connector().fetch(remote_id)
    assert SECRET not in repr(outcome), (
        f"{names} are write-only, but what the answer showed of them came through"
    )


@check()
def an_id_may_be_text_or_number(bench: Bench) -> None:
    """`7` and `"7"` are one id. Catches a comparison by type: the account reads as somebody else's once a
    server answers as its document has it.
    """
    (remote_id,) = bench.seed()

    def retyped(value: Json) -> Json:
        return _other_type(value) if not isinstance(value, bool) and str(value) == remote_id else value

    def fault(turn: Turn) -> None:
        turn.answer(each_value(turn.forward(), retyped))

    bench.misbehave(fault, reads)
    outcome = bench.connector().fetch(remote_id)
    assert outcome.kind is OutcomeKind.OBSERVED, (
        f"the id came as text instead of a number, or the reverse: `fetch` said {outcome.kind.name}"
        f" ({outcome.detail})"
    )


def _other_type(value: Json) -> Json:
    if isinstance(value, int):
        return str(value)
    return int(value) if isinstance(value, str) and value.isdigit() else value
