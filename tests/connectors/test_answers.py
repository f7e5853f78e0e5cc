"""Reading the parts of an answer: whatever a target says, it means something and nothing is raised."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.awx import FIELDS
from connectors.sdk.answers import (
    RETRY_AFTER_CAP_S,
    Answer,
    Failure,
    NotJsonError,
    json_of,
    message_of,
    retry_after_s,
    title_of,
)
from connectors.sdk.diagnosis import problem
from connectors.sdk.model import Exchange, Json, OutcomeKind
from connectors.sdk.outcomes import Expected, account_outcome, document_outcome

BY_NAME = {field.name: field for field in FIELDS}
NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


def waiting(text: str, **headers: str) -> Answer:
    return Answer(Exchange("PATCH", "/", 429), {"retry-after": text, **headers}, received_at=NOW.timestamp())


@given(st.text() | st.integers().map(str) | st.floats().map(str) | st.datetimes().map(format_datetime))
def test_a_wait_is_unreadable_or_between_nothing_and_six_hours(text: str) -> None:
    seconds = retry_after_s(waiting(text))
    assert seconds is None or 0 <= seconds <= RETRY_AFTER_CAP_S


@given(st.integers(0, int(RETRY_AFTER_CAP_S)))
def test_a_date_is_as_good_as_its_seconds(seconds: int) -> None:
    until = format_datetime(NOW + dt.timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(waiting(until)) == seconds


def test_a_date_is_measured_with_the_clock_that_wrote_it() -> None:
    wrong = NOW + dt.timedelta(days=400)
    until = format_datetime(wrong + dt.timedelta(seconds=90), usegmt=True)
    assert retry_after_s(waiting(until, date=format_datetime(wrong, usegmt=True))) == 90


@given(
    st.integers(100, 599),
    st.binary(max_size=200)
    | st.sampled_from([b'{"id": 7}', b'{"id": 7, "first_name": "Lou"}', b"[]", b"<html>"]),
    st.dictionaries(
        st.sampled_from(["content-type", "allow", "retry-after", "location"]), st.text(max_size=20)
    ),
)
def test_every_answer_means_something(status: int, body: bytes, headers: dict[str, str]) -> None:
    answer = Answer(Exchange("PATCH", "/", status), headers, body)
    written = account_outcome(answer, Expected(BY_NAME, "7", {"first_name": "Lou"}))
    read = account_outcome(answer, Expected(BY_NAME, "7"))
    document, _ = document_outcome(answer)
    assert (written.kind is OutcomeKind.APPLIED) <= (200 <= status < 300 and b"Lou" in body)
    assert read.kind is not OutcomeKind.APPLIED
    assert document.kind is not OutcomeKind.MISSING
    assert len(written.detail) <= 300


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_means_something_whatever_status_came(failure: Failure) -> None:
    expected = {
        Failure.UNSENT: OutcomeKind.UNREACHABLE,
        Failure.CREDENTIAL: OutcomeKind.SUSPECT,
        Failure.TLS: OutcomeKind.SUSPECT,
        Failure.LOST: OutcomeKind.AMBIGUOUS,
        Failure.OVERSIZE: OutcomeKind.AMBIGUOUS,
    }
    answer = Answer(Exchange("PATCH", "/", 200), body=b'{"id": 7}', failure=failure, detail="of a reason")
    outcome = account_outcome(answer, Expected(BY_NAME, "7", {"first_name": "Lou"}))
    assert (outcome.kind, outcome.detail) == (expected[failure], "of a reason")
    assert "of a reason" in problem(answer, outcome, "https://awx.example.com", "").lower()


def test_a_write_only_field_goes_by_status() -> None:
    answer = Answer(Exchange("PATCH", "/", 200), body=b'{"id": 7, "password": "$encrypted$"}')
    assert account_outcome(answer, Expected(BY_NAME, "7", {"password": "x"})).kind is OutcomeKind.APPLIED


@pytest.mark.parametrize("shown", [b'"7"', b"7"])
def test_an_id_may_be_shown_as_text(shown: bytes) -> None:
    answer = Answer(Exchange("GET", "/", 200), body=b'{"id": ' + shown + b"}")
    assert account_outcome(answer, Expected(BY_NAME, "7")).kind is OutcomeKind.OBSERVED


def test_a_field_that_is_absent_beside_an_unchanged_one_is_wrong_too() -> None:
    answer = Answer(Exchange("PATCH", "/", 200), body=b'{"id": 7, "first_name": "Old", "email": "a@b.co"}')
    sent: dict[str, Json] = {"first_name": "Lou", "last_name": "Berg", "email": "a@b.co"}
    outcome = account_outcome(answer, Expected(BY_NAME, "7", sent))
    assert outcome.kind is OutcomeKind.NOT_APPLIED
    assert outcome.wrong == ("first_name", "last_name")


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"[Infinity]", b"[" * 100_000, b"\xff\xfe\x00", b"1" * 5000])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(NotJsonError):
        json_of(body)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["a", "b"], "a; b"),
        ({"x": {"y": ["a"]}, "z": 5}, "x: y: a; z: 5"),
        ([{}, {"x": ["bad\nline"]}, None, "", True], "x: bad line; true"),
        (None, ""),
    ],
)
def test_messages_of_any_depth_become_one_line(value: Json, message: str) -> None:
    assert message_of(value) == message


def test_a_message_has_at_most_three_hundred_characters() -> None:
    assert len(message_of(["x" * 200, "y" * 200])) == 300


def test_a_page_without_a_title_is_still_a_page() -> None:
    assert title_of(Answer(Exchange("GET", "/", 200), body=b"<html>")) == "an HTML page"
