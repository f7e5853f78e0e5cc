"""No whole answer: provably not sent, or nobody knows. Between the two lies every double write."""

from __future__ import annotations

from connectors.sdk.model import OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect, patched
from connectors.sdk.testing.bench import SHORT, Bench
from connectors.sdk.testing.check import check
from connectors.sdk.testing.virtual import NOWHERE, nameless, virtual_time


@check()
def refused_connection_is_unreachable(bench: Bench) -> None:
    """Nobody listens: not a byte was sent. Catches an unreachable target read again as ambiguous."""
    (remote_id,) = bench.seed()
    with virtual_time():
        outcome = bench.connector(base_url=bench.tap.refusing).patch(remote_id, bench.change())
    expect(outcome, OutcomeKind.UNREACHABLE, "a refused connection")


@check()
def unknown_name_is_unreachable(bench: Bench) -> None:
    """A name that does not resolve: not a byte was sent. Catches an exception of another kind."""
    (remote_id,) = bench.seed()
    with virtual_time(), nameless():
        outcome = bench.connector(base_url=NOWHERE).patch(remote_id, bench.change())
    expect(outcome, OutcomeKind.UNREACHABLE, "a name that does not resolve")


@check()
def failed_handshake_is_suspect(bench: Bench) -> None:
    """A TLS failure is about the target, not about reaching it. Catches one that is tried for ever."""
    (remote_id,) = bench.seed()
    url = bench.tap.url.replace("http://", "https://")
    with virtual_time():
        outcome = bench.connector(base_url=url).patch(remote_id, bench.change())
    expect(outcome, OutcomeKind.SUSPECT, "a server that speaks no TLS below https://")


@check()
def silence_before_the_effect_is_ambiguous(bench: Bench) -> None:
    """A write that nobody answers is AMBIGUOUS, done or not. Catches `not applied` after a look."""
    outcome = patched(bench, faults.hangs(effect=False), timeouts=SHORT)
    expect(outcome, OutcomeKind.AMBIGUOUS, "a write without an answer (and without effect)")


@check()
def silence_after_the_effect_is_ambiguous(bench: Bench) -> None:
    """The same where it was done: the engine reads, not we. Catches `unreachable`, and `applied` after a
    look, which another write may have made true.
    """
    outcome = patched(bench, faults.hangs(effect=True), timeouts=SHORT)
    expect(outcome, OutcomeKind.AMBIGUOUS, "a write without an answer (but with its effect)")


@check()
def reset_is_ambiguous(bench: Bench) -> None:
    """A connection that breaks after the request was sent. Catches `ConnectionError` = unreachable."""
    expect(patched(bench, faults.resets(effect=True)), OutcomeKind.AMBIGUOUS, "a connection that was reset")


@check()
def answer_cut_in_its_headers_is_ambiguous(bench: Bench) -> None:
    """Cut inside the headers, `requests` reports 200 and an empty body. Catches that 200."""
    expect(patched(bench, faults.cut_head), OutcomeKind.AMBIGUOUS, "an answer cut inside its headers")


@check()
def answer_cut_in_its_body_is_ambiguous(bench: Bench) -> None:
    """A body that is shorter than announced. Catches the exception that reading it raises."""
    expect(patched(bench, faults.cut_body), OutcomeKind.AMBIGUOUS, "an answer cut inside its body")


@check()
def answer_cut_between_chunks_is_ambiguous(bench: Bench) -> None:
    """A chunked body without its last chunk. Catches a client that takes the end for the end."""
    expect(patched(bench, faults.cut_chunks), OutcomeKind.AMBIGUOUS, "a chunked answer without its end")
