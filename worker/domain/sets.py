"""Sets of group names: what an account should be in, given what it is in. Pure.

Additive: what HR says is added and nothing is taken away. Managed: exact within the named set, and
every other membership stays. Neither ever removes a membership that HR does not speak about.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.fields import FieldType
from connectors.sdk.model import Json
from worker.domain.account import Account, Person
from worker.domain.policy import Policy


def with_memberships(person: Person, account: Account, policy: Policy) -> Person:
    """The person with each wanted set completed by the memberships that are not ours to decide."""
    observed = account.observed or {}
    names = [
        name
        for name, spec in policy.fields.items()
        if spec.type is FieldType.NAME_SET and name in person.wanted and name in observed
    ]
    if not names:
        return person
    merged = {name: _merged(policy, name, person.wanted[name], observed[name]) for name in names}
    return replace(person, wanted={**person.wanted, **merged})


def _merged(policy: Policy, name: str, wanted: Json, observed: Json) -> Json:
    want, have = _texts(wanted), _texts(observed)
    managed = policy.managed.get(name)
    if managed is None:
        return [*sorted(want | have)]
    return [*sorted((have - managed) | (want & managed))]


def _texts(value: Json) -> set[str]:
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()
