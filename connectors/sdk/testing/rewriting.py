"""Faults that need no knowledge of an API: the keys to touch are taken from the request's own body."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from connectors.sdk.model import Json
from connectors.sdk.testing.exchange import Answer
from connectors.sdk.testing.tap import Fault, Turn

ANOTHER_ID = 987_654


def ignored(turn: Turn) -> None:
    """The write is not done; the answer is the whole account, as it was."""
    turn.answer(turn.read_instead())


def first_field_ignored(turn: Turn) -> None:
    """The write is done but for the first field in it, as DRF does with a read-only one."""
    body = turn.request.json()
    if isinstance(body, dict):
        rest = dict(list(body.items())[1:])
        turn.request.body = json.dumps(rest).encode()
    answer = turn.forward()
    turn.request.body = json.dumps(body).encode()
    turn.answer(answer)


def not_shown(turn: Turn) -> None:
    """The write is done, and the answer lacks what was sent."""
    sent = set(_keys(turn.request.json()))
    answer = turn.forward()
    turn.answer(replace(answer, body=json.dumps(_without(answer.json(), sent)).encode()))


def not_shown_first(turn: Turn) -> None:
    """The write is done, and the answer lacks the first field that was sent."""
    sent = next(_keys(turn.request.json()))
    answer = turn.forward()
    turn.answer(replace(answer, body=json.dumps(_without(answer.json(), {sent})).encode()))


def padded(turn: Turn) -> None:
    """The write is done, and the answer shows every text that was sent with a blank on each side."""
    sent = set(_texts(turn.request.json()))
    answer = turn.forward()
    turn.answer(replace(answer, body=json.dumps(_padded(answer.json(), sent)).encode()))


def of_another(remote_id: str) -> Fault:
    """The answer is the account's, but for the id."""

    def fault(turn: Turn) -> None:
        answer = turn.forward()
        body = answer.json()
        if isinstance(body, dict):
            body = {key: _another(value, remote_id) for key, value in body.items()}
        turn.answer(replace(answer, body=json.dumps(body).encode()))

    return fault


def cut_json(answer: Answer) -> Answer:
    """Half of the text, in an answer that is otherwise whole."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _another(value: Json, remote_id: str) -> Json:
    return ANOTHER_ID if isinstance(value, int | str) and str(value) == remote_id else value


def _keys(body: Json) -> Iterator[str]:
    """The innermost keys."""
    for key, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, dict):
            yield from _keys(value)
        else:
            yield key


def _texts(body: Json) -> Iterator[str]:
    match body:
        case str():
            yield body
        case dict():
            for value in body.values():
                yield from _texts(value)
        case _:
            return


def _without(body: Json, keys: set[str]) -> Json:
    if not isinstance(body, Mapping):
        return body
    return {key: _without(value, keys) for key, value in body.items() if key not in keys}


def _padded(body: Json, texts: set[str]) -> Json:
    match body:
        case str() if body in texts:
            return f" {body} "
        case dict():
            return {key: _padded(value, texts) for key, value in body.items()}
        case _:
            return body
