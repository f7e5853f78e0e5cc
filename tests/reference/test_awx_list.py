"""The reference AWX, "List": relative links, caps, filters, orders, and a walk that misses nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_USERS
from tests.reference.conftest import Api

USERS = "/api/v2/users/"


def crowd(count: int) -> list[dict[str, Any]]:
    more = [
        {"id": n, "username": f"user{n:03}", "email": f"User{n}@example.com"} for n in range(10, 10 + count)
    ]
    return [*DEFAULT_USERS, *more]


def names(api: Api, query: str) -> list[str]:
    return [user["username"] for user in api.get(f"{USERS}?{query}").json()["results"]]


def test_pages_have_25_users_by_name_and_relative_links(awx: Api) -> None:
    awx.target.reset(crowd(50))
    first = awx.get(USERS).json()
    assert list(first) == ["count", "next", "previous", "results"]
    assert (first["count"], len(first["results"])) == (53, 25)
    assert (first["next"], first["previous"]) == ("/api/v2/users/?page=2", None)
    shown = [user["username"] for user in first["results"]]
    assert shown == sorted(shown)
    assert awx.get("/api/v2/users/?page=2").json()["previous"] == "/api/v2/users/?page=1"


def test_list_items_lack_the_named_url(awx: Api) -> None:
    assert all("named_url" not in user["related"] for user in awx.get(USERS).json()["results"])


def test_the_page_size_is_capped_at_200_and_next_says_so(awx: Api) -> None:
    awx.target.reset(crowd(210))
    page = awx.get(f"{USERS}?page_size=1000").json()
    assert (len(page["results"]), page["next"]) == (200, "/api/v2/users/?page=2&page_size=200")


@pytest.mark.parametrize("size", [0, -1])
def test_page_sizes_below_one_mean_25(awx: Api, size: int) -> None:
    awx.target.reset(crowd(30))
    assert len(awx.get(f"{USERS}?page_size={size}").json()["results"]) == 25


@pytest.mark.parametrize("size", ["abc", ""])
def test_a_page_size_that_is_no_number_crashes_where_there_is_a_next_page(awx: Api, size: str) -> None:
    awx.target.reset(crowd(30))
    answer = awx.get(f"{USERS}?page_size={size}")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (500, "text/html")


@pytest.mark.parametrize("page", ["9", "0", "abc"])
def test_pages_that_do_not_exist_are_404(awx: Api, page: str) -> None:
    answer = awx.get(f"{USERS}?page={page}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


def test_the_last_page_has_a_name(awx: Api) -> None:
    awx.target.reset(crowd(30))
    page = awx.get(f"{USERS}?page=last").json()
    assert (len(page["results"]), page["next"]) == (8, None)


def test_count_disabled_drops_count_and_links(awx: Api) -> None:
    assert set(awx.get(f"{USERS}?count_disabled=1").json()) == {"results"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("username=anna.berg", ["anna.berg"]),
        ("username=ANNA.BERG", []),
        ("username__iexact=ANNA.BERG", ["anna.berg"]),
        ("username__in=anna.berg,omar.haddad", ["anna.berg", "omar.haddad"]),
        ("username__startswith=Anna", []),
        ("username__istartswith=Anna", ["anna.berg"]),
        ("username__icontains=BERG", ["anna.berg"]),
        ("username__contains=BERG", []),
        ("username__iendswith=HADDAD", ["omar.haddad"]),
        ("username__regex=^a.*g$", ["anna.berg"]),
        ("email=ANNA.BERG@example.com", []),
        ("email__iexact=ANNA.BERG@example.com", ["anna.berg"]),
        ("id__gt=1", ["anna.berg", "omar.haddad"]),
        ("id__gte=2&id__lt=3", ["anna.berg"]),
        ("id__in=1,3", ["admin", "omar.haddad"]),
        ("created__gt=2999-01-01T00:00:00Z", []),
        ("is_superuser=true", ["admin"]),
        ("is_superuser=0", ["anna.berg", "omar.haddad"]),
        ("last_login__isnull=false", []),
        ("not__username=admin", ["anna.berg", "omar.haddad"]),
        ("or__username=admin&or__first_name=Omar", ["admin", "omar.haddad"]),
        ("search=haddad", ["omar.haddad"]),
        ("search=EXAMPLE.com&first_name=Anna", ["anna.berg"]),
        ("profile__ldap_dn__isnull=false", ["admin", "anna.berg", "omar.haddad"]),
        ("username=%61nna.berg", ["anna.berg"]),
    ],
)
def test_filters(awx: Api, query: str, found: list[str]) -> None:
    assert names(awx, query) == found


@pytest.mark.parametrize(
    "query",
    [
        *("nosuch=1", "modified__gt=2026-01-01T00:00:00Z", "is_system_auditor=true", "ldap_dn=x"),
        *("external_account=ldap", "is_superuser=maybe", "id=abc", "order_by=nosuch", "id__in="),
        *("order_by=is_system_auditor", "username__regex=(", "first_name__deep=1"),
    ],
)
def test_filters_and_orders_that_are_refused(awx: Api, query: str) -> None:
    answer = awx.get(f"{USERS}?{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"detail"})


def test_an_unknown_field_is_named(awx: Api) -> None:
    assert awx.get(f"{USERS}?nosuch=1").json() == {"detail": "User has no field named 'nosuch'"}


def test_a_password_filter_is_403(awx: Api) -> None:
    assert awx.get(f"{USERS}?password=x").status_code == 403


def test_orders_by_several_fields(awx: Api) -> None:
    assert names(awx, "order_by=-id") == ["omar.haddad", "anna.berg", "admin"]
    assert names(awx, "order_by=is_superuser,-username") == ["omar.haddad", "anna.berg", "admin"]


def test_a_walk_by_id_sees_everybody_while_accounts_come_and_go(awx: Api) -> None:
    awx.target.reset(crowd(40))
    seen: list[int] = []
    while True:
        last = seen[-1] if seen else 0
        page = awx.get(f"{USERS}?order_by=id&id__gt={last}&page_size=10").json()["results"]
        if not page:
            break
        seen += [user["id"] for user in page]
        if last == 0:
            awx.send("DELETE", f"{USERS}3/")
            awx.post(USERS, {"username": "aaa", "password": "x"})
    assert seen == [1, 2, 3, *range(10, 51)]
