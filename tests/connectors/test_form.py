"""Forms as a server reads them."""

from __future__ import annotations

import io

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from connectors.sdk.form import FilePart, fits_form, form_of
from connectors.sdk.model import Json

PICTURE = FilePart("avatar.png", "image/png", b"\x89PNG\r\n--not a boundary\r\n")


def read(values: dict[str, Json]) -> tuple[dict[str, list[str]], tuple[str | None, str, bytes]]:
    """The texts and the one file, as a server has them."""
    body, content_type = form_of(values, {"avatar": PICTURE})
    builder = EnvironBuilder(method="POST", input_stream=io.BytesIO(body), content_type=content_type)
    with Request(builder.get_environ()) as request:
        file = request.files["avatar"]
        return request.form.to_dict(flat=False), (file.filename, file.mimetype, file.read())


def test_a_form_says_texts_booleans_numbers_and_lists() -> None:
    texts, _ = read({"first_name": "Zoë", "is_staff": True, "is_admin": False, "groups": [1, 3], "n": 7})
    assert texts == {
        "first_name": ["Zoë"],
        "is_staff": ["true"],
        "is_admin": ["false"],
        "groups": ["1", "3"],
        "n": ["7"],
    }


def test_a_file_arrives_byte_for_byte_with_its_type() -> None:
    assert read({}) == ({}, ("avatar.png", "image/png", PICTURE.content))


@pytest.mark.parametrize("value", [None, [], {}, {"a": 1}, [None], [[1]]])
def test_what_no_form_can_say_is_told_beforehand_and_refused(value: Json) -> None:
    assert not fits_form({"first_name": "Mira", "x": value})
    with pytest.raises(ValueError, match="x: a form cannot say this value"):
        form_of({"x": value}, {})


def test_a_file_shows_no_content() -> None:
    assert repr(PICTURE) == "FilePart('avatar.png', 24 bytes)"
