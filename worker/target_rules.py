"""From a target's configuration and its connector's descriptor to the rules of planning.

What only the connector knows is checked here: its name, its fields, what it can do. All problems
are told at once, each with its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches

from config.settings import Audit, ConfigurationError, Settings
from config.settings import Target as TargetSettings
from connectors.sdk.contract import ConnectorConfig, Credential, CredentialSource, Descriptor, Timeouts
from connectors.sdk.fields import Field, FieldType
from connectors.sdk.registry import StyleError, style_named
from worker.domain.attributes import CUSTOM_ANY, known
from worker.domain.mapping import compile_expression
from worker.domain.policy import Policy


def rules(name: str, target: TargetSettings, descriptor: Descriptor, audit: Audit) -> Policy:
    """The policy of a target that `problems` found nothing wrong with."""
    mapping = merged_mapping(target, descriptor)
    names = dict.fromkeys((*mapping, *target.always_send))
    owned = {field.name: field for field in map(descriptor.field, names) if field is not None}
    deactivates = descriptor.active_field is not None and descriptor.active_field in mapping
    return Policy(
        target=name,
        title=descriptor.title,
        fields=owned,
        correlation=target.correlation or descriptor.correlation,
        name_field=descriptor.correlation,
        active_field=descriptor.active_field,
        immutable_key=descriptor.immutable_key,
        containers=descriptor.containers & owned.keys(),
        privileged=target.privileged,
        protected_names=frozenset(target.protected.usernames),
        protected_ids=frozenset(target.protected.ids),
        managed={name: frozenset(names) for name, names in target.managed.items()},
        leaver=target.leaver or ("deactivate" if deactivates else "hold"),
        on_missing=target.on_missing,
        on_leave_scope=target.on_leave_scope,
        always_send=tuple(target.always_send),
        superuser_field=descriptor.superuser_field,
        superuser_through=descriptor.superuser_through,
        observe_only=target.mode == "observe",
        masked=frozenset(_masked(owned, mapping, audit)),
    )


def _masked(owned: Mapping[str, Field], mapping: Mapping[str, str], audit: Audit) -> Iterator[str]:
    """Fields that are sensitive, or that `audit.masked` covers by their name or by an attribute they show."""
    for name, field in owned.items():
        shows = compile_expression(mapping[name]).reads if name in mapping else ()
        if field.sensitive or audit.masks((name, *shows)):
            yield name


def sensitive_attributes(settings: Settings) -> frozenset[str]:
    """What the sensitive fields of targets show that `problems` found nothing wrong with."""
    found: set[str] = set()
    for name, target in settings.targets.items():
        descriptor = _descriptor(name, target)
        for field, expression in merged_mapping(target, descriptor).items():
            owned = descriptor.field(field)
            if owned is not None and owned.sensitive:
                found.update(compile_expression(expression).reads)
    return frozenset(found)


def merged_mapping(target: TargetSettings, descriptor: Descriptor) -> dict[str, str]:
    """The connector's default mapping with the target's own over it; an empty text disowns."""
    merged = {**descriptor.default_mapping, **target.mapping}
    return {field: expression for field, expression in merged.items() if expression}


def check_targets(settings: Settings) -> None:
    """Raise ConfigurationError with every problem that a descriptor shows."""
    problems = [line for name, target in settings.targets.items() for line in problems_of(name, target)]
    problems += _mask_problems(settings)
    if problems:
        raise ConfigurationError(problems)


def _mask_problems(settings: Settings) -> Iterator[str]:
    """An entry of `audit.masked` that names nothing would show what somebody wanted hidden."""
    fields = {field for name, target in settings.targets.items() for field in _fields_of(name, target)}
    for place, entry in enumerate(settings.audit.masked):
        if entry not in fields and entry != CUSTOM_ANY and not known(entry):
            yield f"audit.masked[{place}]: {entry!r} is no attribute and no field of a target"


def _fields_of(name: str, target: TargetSettings) -> Iterator[str]:
    with suppress(StyleError, ValueError):  # told where the target is looked at
        yield from (field.name for field in _descriptor(name, target).fields)
        yield from target.mapping


def problems_of(name: str, target: TargetSettings) -> Iterator[str]:
    """What is wrong with one target, each line with its path."""
    try:
        descriptor = _descriptor(name, target)
    except StyleError as error:
        yield f"targets.{name}.connector: {error}"
        return
    except ValueError as error:
        yield f"targets.{name}.options: {error}"
        return
    mapping = merged_mapping(target, descriptor)
    for field in target.mapping:
        yield from _field_problem(f"targets.{name}.mapping.{field}", field, descriptor)
    for place, field in enumerate(target.always_send):
        yield from _field_problem(f"targets.{name}.always_send[{place}]", field, descriptor)
    for field in target.managed:
        yield from _set_problem(f"targets.{name}.managed.{field}", field, descriptor)
    for field in target.privileged:
        yield from _privileged_problem(f"targets.{name}.privileged.{field}", field, descriptor)
    yield from _correlation_problems(name, target, descriptor, mapping)
    if not target.base_url:
        yield f"targets.{name}.base_url: is missing"
    if target.reconcile.schedule is not None and not descriptor.can_scan:
        yield f"targets.{name}.reconcile.schedule: {descriptor.title} has no listing to compare with"
    yield from _ability_problems(name, target, descriptor, mapping)


def _correlation_problems(
    name: str, target: TargetSettings, descriptor: Descriptor, mapping: Mapping[str, str]
) -> Iterator[str]:
    correlation = target.correlation or descriptor.correlation
    if descriptor.field(correlation) is None:
        yield from _field_problem(f"targets.{name}.correlation", correlation, descriptor)
    elif correlation not in mapping:
        yield f"targets.{name}.correlation: {correlation!r} needs a mapping, accounts are found by it"


def _descriptor(name: str, target: TargetSettings) -> Descriptor:
    """What this target's connector can do: options may decide that, and building one opens nothing."""
    style = style_named(target.connector)
    return style(connector_config(name, target)).descriptor if target.base_url else style.descriptor


def _field_problem(path: str, name: str, descriptor: Descriptor) -> Iterator[str]:
    field = descriptor.field(name)
    if field is None:
        close = get_close_matches(name, [known.name for known in descriptor.fields], n=1)
        yield f"{path}: {descriptor.title} has no such field" + (
            f", did you mean {close[0]!r}?" if close else ""
        )
    elif field.never_mapped is not None:
        yield f"{path}: may not be mapped: {field.never_mapped}"
    elif field.read_only:
        yield f"{path}: is read-only at {descriptor.title} ({descriptor.document})"


def _privileged_problem(path: str, name: str, descriptor: Descriptor) -> Iterator[str]:
    field = descriptor.field(name)
    if field is None:
        yield from _field_problem(path, name, descriptor)
    elif not field.privileged:
        names = ", ".join(known.name for known in descriptor.fields if known.privileged)
        yield f"{path}: is not a privileged field of {descriptor.title} (those are {names})"


def _set_problem(path: str, name: str, descriptor: Descriptor) -> Iterator[str]:
    sets = [field.name for field in descriptor.fields if field.type is FieldType.NAME_SET]
    if name not in sets:
        yield f"{path}: is not a set of names at {descriptor.title} (those are {', '.join(sets) or 'none'})"


def _ability_problems(
    name: str, target: TargetSettings, descriptor: Descriptor, mapping: Mapping[str, str]
) -> Iterator[str]:
    if target.leaver == "deactivate" and descriptor.active_field not in mapping:
        yield f"targets.{name}.leaver: {descriptor.title} cannot deactivate with this mapping, say hold"
    if target.leaver == "demote" and not descriptor.can_demote:
        yield f"targets.{name}.leaver: {descriptor.title} has no way to demote, say hold or deactivate"
    if target.leaver == "delete" and not descriptor.can_delete:
        yield f"targets.{name}.leaver: {descriptor.title} has no way to delete, say hold or deactivate"
    if target.on_missing == "create" and not descriptor.can_create:
        yield f"targets.{name}.on_missing: {descriptor.title} has no way to create an account, say hold"


def connector_config(name: str, target: TargetSettings) -> ConnectorConfig:
    """What the connector is built from; the credential is read when it is needed."""
    times = target.timeouts
    return ConnectorConfig(
        name=name,
        base_url=target.base_url,
        credential=credential_source(target),
        timeouts=Timeouts(times.connect_s, times.read_s, times.deadline_s),
        verify=True if target.tls_verify is True else str(target.tls_verify),
        pool_size=target.max_in_flight,
        options=target.options,
    )


def credential_source(target: TargetSettings) -> CredentialSource:
    """Reads the secret anew on each call, so that a rotated file is used."""

    def read() -> Credential:
        known = target.credential
        return Credential(known.scheme, target.read_secret(), known.username)

    return read
