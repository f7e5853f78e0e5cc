"""What a path offers to whoever asks, as Django REST framework tells it (OPTIONS). Never raises.

Its answer names the writes that the asker may do there, with their fields, and leaves out those that the
asker may not. A server that tells nothing of the kind is believed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sdk.model import OutcomeKind
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient


def offered(client: RestClient, path: str) -> Mapping[str, frozenset[str]] | None:
    """`PUT` and `POST`, if we may do them, with their fields; None where the server does not say."""
    answer = client.options(path)
    outcome, body = document_outcome(answer)
    if outcome.kind is not OutcomeKind.OBSERVED or "parses" not in body:
        return None
    actions = body.get("actions")
    if isinstance(actions, dict):
        return {method: frozenset(fields) for method, fields in actions.items() if isinstance(fields, dict)}
    served = {method.strip() for method in answer.headers.get("allow", "").split(",")}
    return {} if served & {"PUT", "POST"} else None  # both are left out of what nobody may do
