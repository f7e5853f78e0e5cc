"""Fields whose content no answer shows, such as pictures: sent when it is new, and known by its digest."""

from __future__ import annotations

import hashlib
import re

from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check
from connectors.sdk.testing.samples import Samples

SHA_256 = re.compile(r"[0-9a-f]{64}")


def has_content(samples: Samples) -> bool:
    """Some field is opaque, and the reference server gave two contents for it."""
    return bool(samples.opaque())


@check(needs=has_content)
def content_arrives(bench: Bench) -> None:
    """New content is sent and shows. Catches a reference that is sent in place of what it refers to."""
    remote_id, outcome = _sent(bench)
    name = bench.samples.opaque()[0].name
    expect(outcome, OutcomeKind.APPLIED, f"new content of {name}")
    assert bench.row(remote_id).get(name), f"{name} was sent and taken; the server holds none"


@check(needs=has_content)
def content_is_told_by_its_digest(bench: Bench) -> None:
    """What was sent is told as SHA-256. Catches a digest of the reference: the same address with another
    picture behind it would never be sent.
    """
    _, outcome = _sent(bench)
    name = bench.samples.opaque()[0].name
    digest = outcome.digests.get(name, "")
    assert SHA_256.fullmatch(digest), (
        f"{name} was sent; `digests` must hold the SHA-256 of it, not {digest!r}"
    )
    assert digest not in _digests_of_references(bench), f"the digest of {name} is that of its reference"


@check(needs=has_content)
def the_same_content_is_not_sent_again(bench: Bench) -> None:
    """Content whose digest is known stays here. Catches a picture that is uploaded with each change."""
    remote_id, first = _sent(bench)
    before = len(bench.writes())
    change = _content(bench, 0)
    outcome = bench.connector().patch(remote_id, change, first.digests)
    assert len(bench.writes()) == before, f"{list(change)} has the content of last time and was sent again"
    expect(outcome, OutcomeKind.APPLIED, "content that is there already")


@check(needs=has_content)
def other_content_is_sent(bench: Bench) -> None:
    """Content with another digest replaces the old one. Catches a field that is sent once and never again."""
    remote_id, first = _sent(bench)
    before = len(bench.writes())
    outcome = bench.connector().patch(remote_id, _content(bench, 1), first.digests)
    assert len(bench.writes()) > before, "new content was not sent"
    assert outcome.digests != first.digests, "new content has the digest of the old one"


@check(needs=has_content)
def lost_content_is_sent_again(bench: Bench) -> None:
    """The digest is known, but the server shows no content any more: it is sent. Catches trust in the digest
    alone.
    """
    remote_id, first = _sent(bench)
    connector = bench.connector()
    connector.patch(remote_id, dict.fromkeys(_content(bench, 0)))
    before = len(bench.writes())
    connector.patch(remote_id, _content(bench, 0), first.digests)
    assert len(bench.writes()) > before, "the server lost the content; it was not sent again"


@check(needs=has_content)
def the_rest_leaves_without_the_content(bench: Bench) -> None:
    """Another field changes and the content does not: the other one arrives. Catches a change that is dropped
    together with the content that is known.
    """
    remote_id, first = _sent(bench)
    change = bench.change()
    outcome = bench.connector().patch(remote_id, {**change, **_content(bench, 0)}, first.digests)
    row = bench.row(remote_id)
    assert {name: row.get(name) for name in change} == change, (
        f"{list(change)} changed beside known content; the server holds {[row.get(name) for name in change]}"
    )
    expect(outcome, OutcomeKind.APPLIED, "a change beside content that is there already")


def _content(bench: Bench, number: int) -> dict[str, Json]:
    field = bench.samples.opaque()[0]
    return {field.name: (bench.samples.value, bench.samples.other)[number](field, 0)}


def _sent(bench: Bench) -> tuple[str, Outcome]:
    (remote_id,) = bench.seed()
    return remote_id, bench.connector().patch(remote_id, _content(bench, 0))


def _digests_of_references(bench: Bench) -> set[str]:
    values = [str(value) for number in (0, 1) for value in _content(bench, number).values()]
    return {hashlib.sha256(value.encode()).hexdigest() for value in values}
