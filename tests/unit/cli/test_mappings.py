"""Mappings on the command line."""

import pytest
import typer

from pipeloom.cli.mappings import input_mappings, output_mappings


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("x=constant:3", {"constant_value": 3}),
        ('x=constant:{"a": [1]}', {"constant_value": {"a": [1]}}),
        ('x=constant:"3"', {"constant_value": "3"}),
        ("x=constant:gold: a plan", {"constant_value": "gold: a plan"}),
        ("x=constant:", {"constant_value": ""}),
        ("x=endpoint:months", {"endpoint_input_name": "months"}),
        ("x=variable:PLAN", {"environment_variable_name": "PLAN"}),
        ("x=datastore:a/b=c.png", {"datastore_path": "a/b=c.png"}),
        ("x=null", {"is_null": True}),
    ],
)
def test_an_input_has_a_source(text: str, source: dict[str, object]) -> None:
    assert input_mappings([text]) == [{"pipeline_input_name": "x", **source}]


def test_an_output_has_a_destination() -> None:
    assert output_mappings(["a=endpoint:risk", "b=datastore:r.pdf", "c=null"]) == [
        {"pipeline_output_name": "a", "endpoint_output_name": "risk"},
        {"pipeline_output_name": "b", "datastore_path": "r.pdf"},
        {"pipeline_output_name": "c", "is_null": True},
    ]


@pytest.mark.parametrize("text", ["x", "x=", "=null", "x=3", "x=endpoint:", "x=nothing:y", "x=null:"])
def test_what_cannot_be_read_is_wrong_usage(text: str) -> None:
    for read in (input_mappings, output_mappings):
        with pytest.raises(typer.BadParameter, match="must be written as"):
            read([text])


def test_an_output_comes_from_no_constant() -> None:
    with pytest.raises(typer.BadParameter):
        output_mappings(["x=constant:3"])
