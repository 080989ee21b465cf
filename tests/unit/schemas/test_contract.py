"""What the OpenAPI document says of answers fits what is sent, and its examples fit what it says."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from events.refusals import Code
from services.kit import examples
from services.kit.documents import document_of, summary_of
from tests.support.openapi import contract

CONTRACT = contract()
ANSWERS = dict(CONTRACT.answers())
LOW_LATENCY = examples.ENDPOINT.model_copy(update={"mode": "low_latency", "ram_request": "512MiB"})


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _examples(content: dict[str, Any]) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    for each in content.get("examples", {}).values():
        yield CONTRACT.resolved(each)["value"]


def _answer(method: str, path: str, status: int, **content: Any) -> httpx.Response:
    request = httpx.Request(method, f"http://pipeloom.example/api/v1{path}")
    headers = {"X-Request-Id": "1", **content.pop("headers", {})}
    return httpx.Response(status, request=request, headers=headers, **content)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_document_that_is_told_has_a_shape_and_an_example_that_fits_it(name: str) -> None:
    for media_type, content in ANSWERS[name].get("content", {}).items():
        assert content["schema"], "any document would do"
        if media_type.endswith("json"):
            shown = list(_examples(content))
            assert shown
            assert [CONTRACT.faults(content["schema"], each) for each in shown] == [[] for _ in shown]


@pytest.mark.parametrize(
    ("resource", "page", "entry"),
    [
        (examples.STEP, "StepPage", "StepEntry"),
        (examples.PENDING_STEP, "StepPage", "StepEntry"),
        (examples.FAILED_STEP, "StepPage", "StepEntry"),
        (examples.PIPELINE, "PipelinePage", "PipelineEntry"),
        (examples.ENDPOINT, "DeploymentPage", "DeploymentEntry"),
        (examples.PERIODIC, "DeploymentPage", "DeploymentEntry"),
        (LOW_LATENCY, "DeploymentPage", "DeploymentEntry"),
    ],
)
def test_stored_documents_have_the_told_shape_key_for_key(resource: Any, page: str, entry: str) -> None:
    document, summary = document_of(resource), summary_of(resource)
    assert CONTRACT.faults(_schema(page), document) == []
    assert CONTRACT.faults(_schema(entry), summary) == []
    assert CONTRACT.faults(_schema(page), {**document, "surprise": 1})
    assert CONTRACT.faults(_schema(entry), {**summary, "surprise": 1})


def test_an_answer_is_held_to_its_status_its_media_type_and_its_shape() -> None:
    page = examples.PIPELINE_PAGE
    assert CONTRACT.breaches(_answer("GET", "/pipelines/churn", 200, json=page)) == []
    assert CONTRACT.breaches(_answer("GET", "/pipelines/churn", 418)) == ["status 418 is not told"]
    assert CONTRACT.breaches(_answer("GET", "/pipelines/churn", 200, text="hello")) == ["text/plain is not told"]
    assert CONTRACT.breaches(_answer("GET", "/pipelines/churn", 200, json={**page, "steps": None}))


def test_a_problem_is_held_to_the_codes_of_its_operation() -> None:
    told = {"headers": {"content-type": "application/problem+json"}}
    not_found = examples.problem_example(Code.PIPELINE_NOT_FOUND)
    other = examples.problem_example(Code.STEP_NOT_FOUND)
    assert CONTRACT.breaches(_answer("GET", "/pipelines/churn", 404, json=not_found, **told)) == []
    assert CONTRACT.breaches(_answer("GET", "/pipelines/churn", 404, json=other, **told))


def test_the_user_who_asks_is_not_taken_for_one_of_that_name() -> None:
    operation = CONTRACT.operation("GET", "/api/v1/users/me")
    assert operation is not None
    assert operation["operationId"] == "who_am_i"
