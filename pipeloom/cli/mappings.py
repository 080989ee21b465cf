"""Reads mappings from the command line: `months=constant:3`, `plan=variable:PLAN`, `risk=null`."""

import json

import typer

from pipeloom.client.requests import Document

SOURCES = {"endpoint": "endpoint_input_name", "variable": "environment_variable_name", "datastore": "datastore_path"}
DESTINATIONS = {"endpoint": "endpoint_output_name", "datastore": "datastore_path"}
INPUT_HELP = "NAME=constant:JSON, endpoint:NAME, variable:NAME, datastore:PATH or null. Once for each input."
OUTPUT_HELP = "NAME=endpoint:NAME, datastore:PATH or null. Once for each output."


def input_mappings(texts: list[str]) -> list[Document]:
    """Return the mappings that the options `--input` tell. Raises typer.BadParameter."""
    return [_mapping(text, "pipeline_input_name", SOURCES) for text in texts]


def output_mappings(texts: list[str]) -> list[Document]:
    """Return the mappings that the options `--output-to` tell. Raises typer.BadParameter."""
    return [_mapping(text, "pipeline_output_name", DESTINATIONS) for text in texts]


def _mapping(text: str, key: str, kinds: dict[str, str]) -> Document:
    name, _, told = text.partition("=")
    kind, colon, value = told.partition(":")
    if name and told == "null":
        return {key: name, "is_null": True}
    if name and colon and kind == "constant" and kinds is SOURCES:
        return {key: name, "constant_value": _constant(value)}
    if name and value and kind in kinds:
        return {key: name, kinds[kind]: value}
    known = ", ".join(["constant:JSON"] * (kinds is SOURCES) + [f"{each}:..." for each in kinds])
    raise typer.BadParameter(f"'{text}' must be written as NAME=null or NAME= and one of {known}.")


def _constant(text: str) -> object:
    """Return the JSON value that `text` is; what is no JSON is the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
