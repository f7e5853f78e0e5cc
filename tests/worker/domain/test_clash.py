"""Two people, one name: chains of renames end by themselves, circles are held, nobody is mixed up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from tests.worker.domain.builders import FIELDS, NOW, PERSON, RECORD, doubting, holding, showing, wanting
from tests.worker.domain.rename_model import POLICY, Town
from worker.domain.account import ACCOUNT, Account, Hold, Reason
from worker.domain.clash import Holder, UniqueValue, awaits, has, reopened, seeks, unmoved
from worker.domain.strict_json import digest

SAM = Holder(2, "E1002")


def value(name: str, what: Json) -> UniqueValue:
    return UniqueValue(1, name, digest(what))


SAMS = value("username", "sam")


def refused(**more: Json) -> Account:
    """Mira, who was to become sam."""
    return holding(showing(**more), Reason.UNIQUE, username="sam")


def test_an_account_has_what_it_showed_of_its_unique_fields() -> None:
    assert has(showing(), POLICY) == {value("username", "mira"), value("email", "mira@example.com")}
    assert has(showing(email="", username=None), POLICY) == frozenset()


def test_the_field_that_accounts_are_found_by_counts_even_if_the_target_allows_it_twice() -> None:
    common = replace(POLICY, fields=FIELDS)
    assert has(showing(), common) == {value("username", "mira")}


def test_a_value_is_known_by_the_fields_own_comparison() -> None:
    fields = {
        **POLICY.fields,
        "username": replace(FIELDS["username"], normalise=lambda text: str(text).lower()),
    }
    folding = replace(POLICY, fields=fields)
    assert value("username", "mira") in has(showing(username=" MIRA "), folding)


def test_an_account_asks_for_what_it_is_held_for_and_for_what_is_in_flight() -> None:
    assert awaits(refused(), PERSON, POLICY) == {SAMS}
    assert awaits(doubting(username="sam", first_name="Sam"), PERSON, POLICY) == {SAMS}
    assert awaits(doubting(username="mira"), PERSON, POLICY) == frozenset()
    assert awaits(holding(showing(), Reason.REJECTED, username="sam"), PERSON, POLICY) == frozenset()


def test_a_whole_account_asks_for_all_that_it_would_bring() -> None:
    hold = Hold(Reason.UNIQUE, "taken", PERSON.correlation_hash, NOW)
    joiner = replace(showing(), observed=None, remote_id=None).hold({ACCOUNT: hold})
    assert awaits(joiner, wanting(username="sam"), POLICY) == {
        SAMS,
        value("username", "mira"),
        value("email", "mira@example.com"),
    }


def test_a_search_asks_for_the_current_name_only() -> None:
    assert seeks(showing(), replace(PERSON, correlation=("sam", "mira")), POLICY) == {SAMS}
    assert seeks(showing(), replace(PERSON, correlation=()), POLICY) == frozenset()


def test_a_change_of_other_fields_moves_nothing() -> None:
    assert unmoved(showing(), showing(first_name="Mirabel"), POLICY)
    assert not unmoved(showing(), showing(username="sam"), POLICY)
    assert not unmoved(showing(), doubting(username="sam"), POLICY)
    assert not unmoved(showing(), refused(), POLICY)


def test_the_holder_is_named_and_no_value_of_anybody() -> None:
    hold = reopened(refused(), PERSON, POLICY, frozenset(), {SAMS: (SAM,)}).held["username"]
    assert (hold.message, hold.holder) == ("username is held by E1002 at crm", "E1002")


def test_a_holder_that_nobody_knows_is_told_with_the_targets_words() -> None:
    once = reopened(refused(), PERSON, POLICY, frozenset(), {})
    assert once.held["username"].message == (
        "username is held at crm by an account that is not in Hirewire: why"
    )
    assert reopened(once, PERSON, POLICY, frozenset(), {}) == once


def test_a_value_that_was_given_up_is_asked_for_again() -> None:
    assert reopened(refused(), PERSON, POLICY, {SAMS}, {}).held == {}


def test_a_value_that_somebody_else_took_meanwhile_is_not() -> None:
    taken = reopened(refused(), PERSON, POLICY, {SAMS}, {SAMS: (Holder(3, "E1003"),)})
    assert taken.held["username"].holder == "E1003"


def test_what_was_given_up_before_is_of_no_use_for_another_value() -> None:
    freed = {value("username", "omar"), value("email", "sam")}
    assert "username" in reopened(refused(), PERSON, POLICY, freed, {}).held


def test_an_account_is_not_in_its_own_way() -> None:
    own = {SAMS: (Holder(1, "E1001"),)}
    assert reopened(refused(), PERSON, POLICY, {SAMS}, own).held == {}


def test_other_holds_are_left_alone() -> None:
    both = holding(refused(), Reason.REJECTED, first_name="Mira")
    assert list(reopened(both, PERSON, POLICY, {SAMS}, {}).held) == ["first_name"]


# The moves of people's accounts, one at a time, in any order. An act is a third of a request: it is
# intended, the target carries it out, its answer is taken in. So requests overlap as they like.
ORDER = st.lists(st.integers(0, 1000), max_size=200)


@pytest.mark.parametrize("linked", [True, False])
@given(people=st.integers(2, 6).flatmap(lambda n: st.permutations(range(n))), order=ORDER)
def test_a_chain_of_renames_ends_by_itself_in_any_order(
    linked: bool,
    people: list[int],
    order: list[int],
) -> None:
    names = [f"name{n}" for n in people]
    town = Town(names, [*names[1:], "name99"], linked=linked)
    town.work(order)
    town.is_unmixed()
    assert town.held() == {}
    assert town.names() == [*names[1:], "name99"]
    assert town.refusals <= len(names) - 1


@given(size=st.integers(2, 5), order=ORDER)
def test_a_circle_is_held_each_naming_the_other_with_one_refused_request_each(
    size: int, order: list[int]
) -> None:
    names = [f"name{n}" for n in range(size)]
    town = Town(names, [*names[1:], names[0]])
    town.work(order)
    town.is_unmixed()
    assert town.names() == names
    assert town.held() == {n: f"E{(n + 1) % size}" for n in range(size)}
    assert town.refusals == size


@given(size=st.integers(2, 5), member=st.integers(0, 4), order=ORDER, later=ORDER)
def test_a_circle_ends_when_one_of_its_members_is_called_otherwise(
    size: int, member: int, order: list[int], later: list[int]
) -> None:
    names = [f"name{n}" for n in range(size)]
    wanted = [*names[1:], names[0]]
    town = Town(names, wanted)
    town.work(order)
    wanted[member % size] = "other"
    town.rename(member % size, "other")
    town.work(later)
    town.is_unmixed()
    assert town.names() == wanted
    assert town.held() == {}
    assert town.refusals == size


@given(data=st.data(), order=ORDER)
def test_any_renames_at_any_time_end_with_only_circles_and_their_followers_held(
    data: st.DataObject, order: list[int]
) -> None:
    names = [f"name{n}" for n in range(5)]
    pool = st.lists(st.sampled_from([*names, "x", "y"]), min_size=5, max_size=5, unique=True)
    town = Town(names, data.draw(pool))
    town.work(order[::2], until_idle=False)
    for who, name in enumerate(wanted := data.draw(pool)):
        town.rename(who, name)
    town.work(order[1::2])
    town.is_unmixed()
    shown = town.names()
    assert town.held().keys() == {n for n, name in enumerate(wanted) if shown[n] != name}
    for who, holder in town.held().items():
        assert shown[int(holder[1:])] == wanted[who]


def test_a_clash_of_one_field_does_not_keep_the_others_back() -> None:
    town = Town(["name0", "name1"], ["name1", "name0"])
    town.remote["0"]["first_name"] = "wrong"
    town.accounts[0] = replace(town.accounts[0], observed=dict(town.remote["0"]))
    town.work([])
    assert town.remote["0"]["first_name"] == "P0"
    assert town.names() == ["name0", "name1"]


def test_the_builders_are_not_unique_by_themselves() -> None:
    assert [name for name in RECORD if POLICY.fields[name].unique] == ["username", "email"]
