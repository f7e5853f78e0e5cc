"""What the description says of requests that are taken apart by hand: bodies, headers, credentials."""

from __future__ import annotations

from typing import Any, Final

from worker.api.modes import Mode

API_KEY: Final = "sourceKey"
SIGNATURE: Final = "sourceSignature"

SCHEMES: Final[dict[str, Any]] = {
    API_KEY: {
        "type": "http",
        "scheme": "bearer",
        "description": "A source's API key (`hirewire source key` makes one).",
    },
    SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, with webhook-id and webhook-timestamp, and ?source=.",
    },
}

_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "CloudEvents 1.0 in JSON; `hirewire schema event` prints the schema for a source.",
    "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 255},
        "source": {"type": "string", "minLength": 1, "maxLength": 255},
        "type": {"type": "string", "minLength": 1, "maxLength": 255},
        "subject": {"type": "string", "minLength": 1, "maxLength": 255},
        "time": {"type": "string", "format": "date-time"},
        "sequence": {"type": "string"},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object"},
    },
}


def _header(name: str, words: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": words,
        "schema": {"type": "string"},
    }


POST: Final[dict[str, Any]] = {
    "security": [{API_KEY: []}, {SIGNATURE: []}],
    "parameters": [
        _header("webhook-id", "Of the delivery: the same when it is sent again."),
        _header("webhook-timestamp", "Seconds since the epoch, within 300 s of ours."),
        _header("ce-specversion", "1.0: the event's attributes are ce- headers, the body is its data."),
    ],
    "requestBody": {
        "required": True,
        "content": {
            Mode.STRUCTURED.value: {"schema": _EVENT},
            Mode.BATCHED.value: {"schema": {"type": "array", "items": _EVENT}},
            Mode.STREAM.value: {"schema": {"type": "string", "description": "One event on each line."}},
            Mode.VENDOR.value: {
                "schema": {"description": "Data of a binary event, or a payload that the source maps."}
            },
        },
    },
}
GET: Final[dict[str, Any]] = {"security": [{API_KEY: []}]}
