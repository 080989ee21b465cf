"""The checked-in OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from events.schemas import as_text
from services.gateway.openapi import DOCUMENT, openapi_document

COMMAND = "python -m services.gateway.openapi"


@pytest.fixture(scope="module")
async def document() -> dict[str, Any]:
    """What the gateway's application says of itself, with no server in reach."""
    return await openapi_document()


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Give every object within a document."""
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(below)


def _resolves(document: dict[str, Any], reference: str) -> bool:
    place: Any = document
    for key in reference.removeprefix("#/").split("/"):
        if not isinstance(place, dict) or key not in place:
            return False
        place = place[key]
    return True


def test_the_checked_in_document_is_what_the_gateway_serves(document: dict[str, Any]) -> None:
    assert DOCUMENT.read_text() == as_text(document), f"the API has changed; run `{COMMAND}` and commit what it writes"


def test_the_document_is_openapi_with_the_four_pipeline_functions(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]["/api/v1/pipelines"]) == {"get", "post"}
    assert set(document["paths"]["/api/v1/pipelines/{pipeline_name}"]) == {"get", "delete"}


def test_every_reference_leads_to_something_in_the_document(document: dict[str, Any]) -> None:
    references = {node["$ref"] for node in _nodes(document) if isinstance(node.get("$ref"), str)}
    assert references
    assert [reference for reference in sorted(references) if not _resolves(document, reference)] == []


def test_every_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    schemas = [node["schema"] for node in _nodes(document["paths"]) if isinstance(node.get("schema"), dict)]
    assert schemas
    for schema in [*schemas, *document["components"]["schemas"].values()]:
        Draft202012Validator.check_schema(schema)


def test_every_operation_has_a_name_of_its_own_and_a_sentence(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert [operation["operationId"] for operation in operations if not operation.get("description")] == []


def test_every_body_and_every_refusal_has_an_example(document: dict[str, Any]) -> None:
    shared = document["components"]["responses"]
    without = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            told = {"the request": operation.get("requestBody", {})} | {
                status: shared.get(answer.get("$ref", "").rpartition("/")[2], answer)
                for status, answer in operation["responses"].items()
                if status >= "400"
            }
            without += [
                f"{method} {path}: {what}, {media_type}"
                for what, each in told.items()
                for media_type, content in each.get("content", {}).items()
                if not {"example", "examples"} & set(content)
            ]
    assert without == []
