"""Fingerprint: one digest over all that decides what a target should show and what may be sent there.

Left out is what only says how a target is reached, and when it is looked at: address, credential, times,
rates, TLS, reconciliations. An option that is new to the settings counts until it is named here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from enum import Enum

from config.settings import People
from config.settings import Target as TargetSettings
from connectors.sdk.contract import Descriptor
from connectors.sdk.fields import Field
from connectors.sdk.model import Json
from worker.domain.policy import Policy

_WAY_THERE = {"base_url", "credential", "max_in_flight", "rate_per_s", "reconcile", "timeouts", "tls_verify"}
_WORDS = {"source", "never_mapped", "normalise"}  # of a field: for people, or code that has no value


def fingerprint(
    target: TargetSettings, descriptor: Descriptor, mapping: dict[str, str], policy: Policy, people: People
) -> str:
    """`mapping` and `policy` are the target's with the connector's defaults in them."""
    facts: dict[str, Json] = {
        "target": target.model_dump(mode="json", exclude=_WAY_THERE),
        "mapping": dict(mapping),
        "style": [descriptor.style, descriptor.version],
        "defaults": [policy.correlation, policy.leaver, policy.active_field, policy.immutable_key],
        "containers": [*sorted(policy.containers)],
        "fields": {name: _rules(field) for name, field in policy.fields.items()},
        "people": people.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _rules(field: Field) -> dict[str, Json]:
    rules = {rule.name: getattr(field, rule.name) for rule in fields(field) if rule.name not in _WORDS}
    return {name: _plain(value) for name, value in rules.items()}


def _plain(value: object) -> Json:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if isinstance(value, str | int | bool) else None
