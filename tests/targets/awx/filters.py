"""Query parameters are filters, on listings and on detail addresses alike; an unknown one is 400.

Text look-ups go through regular expressions, because SQLite's LIKE ignores the case of ASCII
letters and of those only, while the observed PostgreSQL tells it apart.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from tests.targets.awx.access import boolean

RESERVED = frozenset(
    {
        "page",
        "page_size",
        "format",
        "order",
        "order_by",
        "search",
        "type",
        "count_disabled",
        "no_truncate",
        "limit",
    }
)
LOOKUPS = frozenset(
    [
        "exact",
        "iexact",
        "contains",
        "icontains",
        "startswith",
        "istartswith",
        "endswith",
        "iendswith",
        "regex",
        "iregex",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "isnull",
    ]
)
PATTERNS = {
    "iexact": "^{}$",
    "contains": "{}",
    "icontains": "{}",
    "startswith": "^{}",
    "istartswith": "^{}",
    "endswith": "{}$",
    "iendswith": "{}$",
}
SEARCHED = ("username", "first_name", "last_name", "email", "name", "description")


class LookupFilter(BaseFilterBackend):
    """`field`, `field__lookup`, with `or__`, `chain__` and `not__` before it."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        del view
        required, either = Q(), Q()
        for name, values in request.query_params.lists():
            if name in RESERVED:
                continue
            for value in values:
                condition, alternative = _condition(queryset.model, name, value)
                if alternative:
                    either |= condition
                else:
                    required &= condition
        return queryset.filter(required & either).distinct() if required or either else queryset


class SearchFilter(BaseFilterBackend):
    """`search=a b`: each term in any of the text fields, whatever its case."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        del view
        fields = [field.name for field in queryset.model._meta.get_fields() if field.name in SEARCHED]
        for term in request.query_params.get("search", "").replace(",", " ").split():
            condition = Q()
            for field in fields:
                condition |= Q((f"{field}__iregex", re.escape(term)))
            queryset = queryset.filter(condition)
        return queryset


class OrderFilter(BaseFilterBackend):
    """`order_by=a,-b`; users by username, everything else by id."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        del view
        given = request.query_params.get("order_by") or request.query_params.get("order")
        if given is None:
            return queryset.order_by("username" if _is_user(queryset.model) else "id")
        return queryset.order_by(*[_ordering(queryset.model, name) for name in given.split(",") if name])


def _ordering(model: type[models.Model], name: str) -> str:
    _, path = _field(model, name.lstrip("-"))
    return f"-{path}" if name.startswith("-") else path


def _condition(model: type[models.Model], name: str, value: str) -> tuple[Q, bool]:
    """The condition of one parameter, and whether it is an alternative (`or__`)."""
    alternative = name.startswith("or__")
    name = name.removeprefix("or__").removeprefix("chain__")
    negated = name.startswith("not__")
    path, lookup = _split(name.removeprefix("not__"))
    field, path = _field(model, path)
    try:
        condition = Q(_lookup(field, path, lookup, value))
    except ModelError as error:
        raise ParseError(json.dumps(error.messages, ensure_ascii=False)) from error
    except (ValueError, re.error) as error:
        raise ParseError(str(error)) from error
    return (~condition if negated else condition), alternative


def _split(name: str) -> tuple[str, str]:
    path, _, lookup = name.rpartition("__")
    return (path, lookup) if path and lookup in LOOKUPS else (name, "exact")


def _field(model: type[models.Model], path: str) -> tuple[Any, str]:
    """The last field of a path and the path as the database knows it; 400 where there is none."""
    if _is_user(model) and path == "created":
        path = "date_joined"
    field: Any = None
    current: Any = model
    for name in path.split("__"):
        if current is None:
            raise ParseError(f"{path}: nothing lies behind {name!r}")
        if name == "password":
            raise PermissionDenied("Passwords are no filter.")
        try:
            field = current._meta.pk if name == "pk" else current._meta.get_field(name)
        except FieldDoesNotExist as error:
            raise ParseError(str(error)) from error
        current = field.related_model
    return field, path


def _lookup(field: Any, path: str, lookup: str, value: str) -> tuple[str, Any]:
    match lookup:
        case "isnull":
            return f"{path}__isnull", boolean(value)
        case "in":
            return f"{path}__in", [_value(field, item) for item in _items(value)]
        case "regex" | "iregex":
            re.compile(value)
            return f"{path}__{lookup}", value
        case _ if lookup in PATTERNS:
            kind = "iregex" if lookup.startswith("i") else "regex"
            return f"{path}__{kind}", PATTERNS[lookup].format(re.escape(value))
        case _:
            return f"{path}__{lookup}", _value(field, value)


def _items(value: str) -> list[str]:
    if not value:
        raise ValueError("a list of values is empty")
    return value.split(",")


def _value(field: Any, value: str) -> Any:
    if isinstance(field, models.BooleanField):
        return boolean(value)
    if field.is_relation:
        return None if value.lower() in {"none", "null"} else int(value)
    return field.to_python(value)


def _is_user(model: type[models.Model]) -> bool:
    return model._meta.object_name == "User"
