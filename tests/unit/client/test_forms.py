"""A step's fields beside its code: a form with bracketed keys, which the service reads back as it was meant."""

from typing import Any
from urllib.parse import urlencode

import pytest

from pipeloom.client.forms import bracketed, form_fields
from services.command.forms import read_form, step_of_form


@pytest.mark.parametrize(
    ("data_type", "value", "text"),
    [
        ("json", {"n": 1, "flag": True}, '{"n": 1, "flag": true}'),
        ("json", "5", '"5"'),
        ("array", [1, 2.5, None], "[1, 2.5, null]"),
        ("array", [], "[]"),
        ("number", 3, "3"),
        ("boolean", False, "false"),
        ("string", "5", "5"),
        ("string", "", ""),
    ],
)
def test_a_default_value_keeps_its_type_on_the_way(data_type: str, value: Any, text: str) -> None:
    given = {"name": "a", "data_type": data_type, "default_value": value}
    sent = form_fields({"inputs": [given]})
    assert sent["inputs[0][default_value]"] == text
    assert step_of_form(read_form(urlencode(sent).encode()))["inputs"][0]["default_value"] == value


def test_no_default_value_is_not_sent() -> None:
    assert form_fields({"inputs": [{"name": "a", "default_value": None}]}) == {"inputs[0][name]": "a"}


def test_what_is_empty_has_no_field() -> None:
    assert list(bracketed({"inputs": [], "config": {}, "name": "s"})) == [("name", "s")]
