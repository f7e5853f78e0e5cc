"""Query parameters as filters, on listings and on single addresses alike. An unknown one is ignored.

Ignored means: the whole listing is the answer. So is an unknown ordering.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from tests.targets.authentik.access import require_view
from tests.targets.authentik.models import Group, Kind, jsonb

Accounts = QuerySet[Any]
TRUTHS = {"true": True, "false": False}
MOMENTS = ("last_updated", "date_joined")
SORTED = frozenset(
    ["pk", "username", "name", "email", "is_active", "last_login", "uuid", "path", "type", *MOMENTS]
)


class RightsFilter(BaseFilterBackend):
    def filter_queryset(self, request: Request, queryset: Accounts, view: Any) -> Accounts:
        require_view(request, view.right)
        return queryset


class ParameterFilter(BaseFilterBackend):
    """`parameters` of a view: parameter -> what it does to the query."""

    def filter_queryset(self, request: Request, queryset: Accounts, view: Any) -> Accounts:
        for name, values in request.query_params.lists():
            if name in view.parameters and any(values):
                queryset = view.parameters[name](queryset, values)
        return queryset


class SearchFilter(BaseFilterBackend):
    def filter_queryset(self, request: Request, queryset: Accounts, view: Any) -> Accounts:
        for term in request.query_params.get("search", "").split():
            found = Q()
            for name in view.searched:
                found |= Q((f"{name}__icontains", term))
            queryset = queryset.filter(found)
        return queryset


class Ordering(BaseFilterBackend):
    def filter_queryset(self, request: Request, queryset: Accounts, view: Any) -> Accounts:
        terms = request.query_params.get("ordering", "").split(",")
        known = [term for term in terms if term.removeprefix("-") in view.sorted_by]
        return queryset.order_by(*known or view.ordering)


Parameter = Callable[[Accounts, list[str]], Accounts]


def exact(name: str) -> Parameter:
    return lambda queryset, values: queryset.filter(**{name: values[-1]})


def truth(name: str) -> Parameter:
    """What is neither true nor false does not filter."""

    def apply(queryset: Accounts, values: list[str]) -> Accounts:
        wanted = TRUTHS.get(values[-1].lower())
        return queryset if wanted is None else queryset.filter(**{name: wanted}).distinct()

    return apply


def moment(lookup: str) -> Parameter:
    def apply(queryset: Accounts, values: list[str]) -> Accounts:
        at = parse_datetime(values[-1])
        if at is None:
            raise ValidationError({lookup: ["Enter a valid date/time."]})
        return queryset.filter(**{lookup: at})

    return apply


def by_uuid(queryset: Accounts, values: list[str]) -> Accounts:
    return queryset.filter(uuid=_uuid("uuid", values[-1]))


def by_type(queryset: Accounts, values: list[str]) -> Accounts:
    unknown = [value for value in values if value not in Kind.values]
    if unknown:
        raise ValidationError({"type": [_no_choice(unknown[0])]})
    return queryset.filter(type__in=values)


def by_groups(parameter: str, field: str) -> Parameter:
    def apply(queryset: Accounts, values: list[str]) -> Accounts:
        for value in values:
            wanted: Any = _uuid(parameter, value) if field == "pk" else value
            if not Group.objects.filter(**{field: wanted}).exists():
                raise ValidationError({parameter: [_no_choice(value)]})
        return queryset.filter(**{f"groups__{field}__in": values}).distinct()

    return apply


def by_attributes(queryset: Accounts, values: list[str]) -> Accounts:
    """A JSON object whose keys are look-ups below `attributes`."""
    try:
        wanted = json.loads(values[-1])
    except ValueError as error:
        raise ValidationError("filter: this is no JSON") from error
    if not isinstance(wanted, dict):
        raise ValidationError("filter: an object is expected")
    return queryset.filter(**{f"attributes__{key}": jsonb(value) for key, value in wanted.items()})


ACCOUNT_FILTERS: Mapping[str, Parameter] = {
    **{name: exact(name) for name in ("username", "email", "name", "path")},
    "path_startswith": exact("path__startswith"),
    "is_active": truth("is_active"),
    "is_superuser": truth("groups__is_superuser"),
    "uuid": by_uuid,
    "type": by_type,
    "groups_by_pk": by_groups("groups_by_pk", "pk"),
    "groups_by_name": by_groups("groups_by_name", "name"),
    "attributes": by_attributes,
    **{f"{name}__{way}": moment(f"{name}__{way}") for name in MOMENTS for way in ("gt", "gte", "lt", "lte")},
}
TOKEN_FILTERS: Mapping[str, Parameter] = {
    "intent": exact("intent"),
    "user__username": exact("owner__username"),
}
GROUP_FILTERS: Mapping[str, Parameter] = {"name": exact("name"), "is_superuser": truth("is_superuser")}


def _uuid(parameter: str, value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise ValidationError({parameter: ["Enter a valid UUID."]}) from error


def _no_choice(value: str) -> str:
    return f"{value} is none of the choices."
