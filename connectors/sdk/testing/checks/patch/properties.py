"""What holds for every value, not for some: found out by trying many."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sdk.fields import same
from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, with_field
from connectors.sdk.testing.listing_faults import each_value
from connectors.sdk.testing.naming import free_text
from connectors.sdk.testing.strategies import valid_values
from connectors.sdk.testing.tap import Fault, Turn, writes

MARK = "zq"
tried = settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@check(needs=with_field(free_text))
def whatever_is_valid_arrives(bench: Bench) -> None:
    """Every text that `encode` lets pass is taken by the server and seen to be there. Catches a rule of the
    server's that the table lacks, and a value that changes on the way.
    """
    (remote_id,) = bench.seed()
    connector = bench.connector()
    field = next(item for item in bench.texts if free_text(item))

    @tried
    @given(valid_values(field))
    def arrives(value: Json) -> None:
        encoded = connector.encode(field.name, value)
        outcome = connector.patch(remote_id, {field.name: encoded})
        held = bench.row(remote_id).get(field.name)
        assert same(field, encoded, held), f"{field.name} was to be {encoded!r}; the server holds {held!r}"
        assert outcome.kind is OutcomeKind.APPLIED, (
            f"{field.name} = {encoded!r} is there; this was {outcome.kind.name} ({outcome.detail})"
        )

    arrives()


@check(needs=with_field(free_text))
def applied_exactly_when_it_shows(bench: Bench) -> None:
    """An answer that shows the value is APPLIED, one that shows any other is NOT_APPLIED. Catches every
    comparison that is not one.
    """
    (remote_id,) = bench.seed()
    connector = bench.connector()
    field = next(item for item in bench.texts if free_text(item))

    @tried
    @given(st.text("abcAB 7", max_size=6), st.text("abcAB 7", max_size=6), st.booleans())
    def judged(wanted: str, other: str, equal: bool) -> None:
        sent = connector.encode(field.name, MARK + wanted)
        shown = f" {sent} " if equal else MARK + other
        bench.behave()
        bench.misbehave(_showing(sent, shown), writes)
        outcome = connector.patch(remote_id, {field.name: sent})
        is_shown = same(field, sent, shown)
        assert (outcome.kind is OutcomeKind.APPLIED) == is_shown, (
            f"{sent!r} was sent and the answer shows {shown!r}: this was {outcome.kind.name}"
        )

    judged()


def _showing(sent: Json, shown: Json) -> Fault:
    def fault(turn: Turn) -> None:
        turn.answer(each_value(turn.forward(), lambda value: shown if value == sent else value))

    return fault
