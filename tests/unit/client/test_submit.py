"""Writes that are sent without waiting for their result."""

from typing import Any

import httpx
import pytest

from pipeloom import Conflict, PipelineExists, Unreadable, writes
from pipeloom.client import requests
from pipeloom.client.requests import Request

from .conftest import Caller, Service

ACCEPTED = {"command_id": "c-1", "status": "accepted"}
ID = {"Pipeloom-Command-Id": "c-1"}

WRITES: list[tuple[Request[Any], str]] = [
    (writes.create_step("s", "a.py", "f"), "POST /steps"),
    (writes.delete_step("s", True), "DELETE /steps/s?force_dependents_deletion=true"),
    (writes.create_pipeline("p", "s"), "POST /pipelines"),
    (writes.delete_pipeline("p"), "DELETE /pipelines/p?force_deployments_deletion=false"),
    (writes.create_deployment("p", "d", "endpoint"), "POST /endpoints"),
    (writes.delete_deployment("d"), "DELETE /deployments/d"),
]


@pytest.mark.parametrize(("write", "expected"), WRITES, ids=[expected for _, expected in WRITES])
async def test_a_write_is_sent_without_waiting(
    call: Caller, service: Service, write: Request[Any], expected: str
) -> None:
    service.answers(202, ACCEPTED, ID)

    assert await call("submit", write) == "c-1"

    request = service.request
    assert f"{request.method} {request.url.raw_path.decode()}" == expected.replace(" ", " /api/v1")
    assert request.headers["prefer"] == "respond-async"
    assert request.headers["idempotency-key"] == write.idempotency_key


async def test_a_submission_is_repeated_with_the_same_key_when_the_connection_breaks(
    call: Caller, service: Service
) -> None:
    service.fails(httpx.ReadError).answers(202, ACCEPTED, ID)

    assert await call("submit", writes.delete_pipeline("p")) == "c-1"

    assert len({request.headers["idempotency-key"] for request in service.requests}) == 1


async def test_a_repeat_whose_result_is_there_already_has_the_same_command(call: Caller, service: Service) -> None:
    service.answers(201, {"pipeline_name": "p"}, ID)
    assert await call("submit", writes.create_pipeline("p", "s", idempotency_key="k")) == "c-1"


async def test_a_refusal_that_is_there_already_is_raised(call: Caller, service: Service) -> None:
    service.answers(409, {"name": "pipeline_exists", "message": "taken"}, ID)
    with pytest.raises(PipelineExists) as caught:
        await call("submit", writes.create_pipeline("p", "s"))
    assert isinstance(caught.value, Conflict)


async def test_an_answer_without_a_command_is_not_one_of_ours(call: Caller, service: Service) -> None:
    service.answers(200, {"hello": "world"})
    with pytest.raises(Unreadable, match="names no command"):
        await call("submit", writes.delete_deployment("d"))


async def test_a_read_cannot_be_submitted(call: Caller, service: Service) -> None:
    with pytest.raises(ValueError, match="a read has no command"):
        await call("submit", requests.me())
    assert service.requests == []


async def test_only_what_is_submitted_asks_not_to_be_waited_for(call: Caller, service: Service) -> None:
    service.answers(201, {"pipeline_name": "p"})
    await call("create_pipeline", "p", "s")
    assert "prefer" not in service.request.headers


@pytest.mark.parametrize("key", ["", " ", "é", "a\nb", 5])
def test_a_key_that_would_protect_nothing_is_refused_before_anything_is_sent(key: Any) -> None:
    with pytest.raises(ValueError, match="idempotency_key"):
        writes.create_pipeline("churn", "train", idempotency_key=key)
    with pytest.raises(ValueError, match="idempotency_key"):
        writes.delete_pipeline("churn", idempotency_key=key)
