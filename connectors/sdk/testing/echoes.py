"""A server that repeats what it was sent, secrets and all, and whether any of it came through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from connectors.sdk.model import Json, Outcome
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.exchange import JSON_TYPE, Answer
from connectors.sdk.testing.listing_faults import leaves
from connectors.sdk.testing.tap import Turn

SECRET_LENGTH = 8  # what is shorter is no password


def repeated(turn: Turn) -> None:
    """The write is done; the answer shows, beside the account, every key that was sent and the whole body."""
    answer, given = turn.forward(), turn.request.json()
    shown = answer.json()
    if isinstance(shown, dict) and isinstance(given, dict):
        body: Json = {**given, **shown, "sent": turn.request.body.decode()}
        answer = replace(answer, body=json.dumps(body).encode())
    turn.answer(answer)


def quoted(turn: Turn) -> None:
    """Nothing is done; the refusal quotes what it refuses."""
    body: Json = {"detail": f"Not like this: {turn.request.body.decode()}"}
    turn.answer(Answer(400, {"Content-Type": JSON_TYPE}, json.dumps(body).encode()))


def secrets_told(bench: Bench, outcome: Outcome, given: Mapping[str, Json]) -> int:
    """How many texts that were sent along under keys that nobody gave stand in the outcome."""
    known = {str(leaf) for value in given.values() for leaf in leaves(value)}
    bodies = [request.json() for request in bench.writes()]
    sent = {
        str(leaf)
        for body in bodies
        for key, value in (body.items() if isinstance(body, dict) else ())
        if key not in given
        for leaf in leaves(value)
    }
    told = repr(outcome)
    return sum(len(text) >= SECRET_LENGTH and text in told for text in sent - known)
