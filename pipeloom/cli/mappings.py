"""`NAME=KIND:VALUE`: where a deployment's inputs come from, and where its outputs go."""

import json
from collections.abc import Iterable
from typing import Any

import typer

INPUT_KINDS = {
    "endpoint": "endpoint_input_name",
    "constant": "constant_value",
    "variable": "environment_variable_name",
    "datastore": "datastore_path",
}
OUTPUT_KINDS = {"endpoint": "endpoint_output_name", "datastore": "datastore_path"}


def input_mappings(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return what the service is sent for each text. Raises BadParameter on one that says nothing."""
    return [_mapping(text, "pipeline_input_name", INPUT_KINDS) for text in texts]


def output_mappings(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return what the service is sent for each text. Raises BadParameter on one that says nothing."""
    return [_mapping(text, "pipeline_output_name", OUTPUT_KINDS) for text in texts]


def _mapping(text: str, key: str, kinds: dict[str, str]) -> dict[str, Any]:
    name, equals, target = text.partition("=")
    kind, colon, value = target.partition(":")
    if name and equals and target == "null":
        return {key: name, "is_null": True}
    if not (name and colon and kind in kinds):
        ways = ", ".join([*(f"{kind}:VALUE" for kind in kinds), "null"])
        raise typer.BadParameter(f"'{text}' must be written as NAME=WHAT, where WHAT is one of {ways}.")
    return {key: name, kinds[kind]: _constant(value) if kind == "constant" else value}


def _constant(text: str) -> Any:
    """Return the JSON value that `text` is, else the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise typer.BadParameter(f"'{text}' holds a number that JSON cannot express.") from error
    return value
