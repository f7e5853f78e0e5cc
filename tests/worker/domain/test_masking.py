"""What the audit shows of a value: nothing of a masked one, the beginning of a long one, else all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.masking import LONGEST, MASKED, masked, shortened
from worker.domain.strict_json import canonical

SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=30)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=10)


@given(VALUES)
def test_of_a_masked_value_only_its_absence_shows(value: object) -> None:
    assert masked(value) == (None if value is None else MASKED)  # type: ignore[arg-type]


@given(VALUES)
def test_a_short_value_is_shown_as_it_is(value: object) -> None:
    assert shortened(value) == value  # type: ignore[arg-type]


@given(st.text(min_size=LONGEST + 1, max_size=LONGEST + 50), st.text(min_size=1, max_size=3))
def test_long_values_are_cut_and_still_told_apart(text: str, more: str) -> None:
    one, other = shortened(text), shortened(text + more)
    assert one != other
    assert one != text
    assert isinstance(one, str)
    assert len(one) < LONGEST
    assert one.startswith(text[:20])


def test_a_long_list_is_told_as_text_with_its_length() -> None:
    names = [f"group {number}" for number in range(100)]
    assert f"({len(canonical(names))} characters, sha256 " in str(shortened(names))
