"""Creating a step: Pending first, Ready when the builder is through."""

import json
from typing import Any

import httpx
import pytest

from pipeloom import OutcomeUnknown, StepFailed

from .conftest import Caller, Service


def step(status: str) -> dict[str, Any]:
    return {"parameters": {"step_name": "train"}, "creation_info": {"status": status}}


async def test_a_step_is_sent_with_everything_that_was_given(call: Caller, service: Service) -> None:
    service.answers(206, step("Ready"))

    await call(
        "create_step",
        "train",
        "src/train.py",
        "train",
        container_config={"repository_url": "https://git.test/churn.git"},
        inputs=[{"name": "rows", "data_type": "json"}],
    )

    assert service.body == {
        "step_name": "train",
        "function_path": "src/train.py",
        "function_name": "train",
        "container_config": {"repository_url": "https://git.test/churn.git"},
        "inputs": [{"name": "rows", "data_type": "json"}],
    }


async def test_a_step_is_waited_for_until_it_is_ready(call: Caller, service: Service) -> None:
    service.answers(206, step("Pending")).answers(206, step("Pending")).answers(200, step("Ready"))

    document = await call("create_step", "train", "src/train.py", "train")

    assert document == step("Ready")
    assert [request.method for request in service.requests] == ["POST", "GET", "GET"]
    assert service.requests[1].url.raw_path == b"/api/v1/steps/train?wait_for_completion=true"


async def test_without_wait_a_pending_step_is_returned_at_once(call: Caller, service: Service) -> None:
    service.answers(206, step("Pending"))
    assert await call("create_step", "train", "src/train.py", "train", wait=False) == step("Pending")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"name": "step_failed", "message": "The step cannot be built: src/train.py is missing"}),
        (200, {"creation_info": {"status": "Failed", "failure": "src/train.py is missing"}}),
    ],
)
async def test_a_failed_step_is_refused_with_its_reason(
    call: Caller, service: Service, status: int, body: dict[str, Any]
) -> None:
    service.answers(206, step("Pending")).answers(status, body)

    with pytest.raises(StepFailed, match=r"src/train\.py is missing") as caught:
        await call("create_step", "train", "src/train.py", "train")
    assert caught.value.code == "step_failed"


async def test_a_step_still_pending_at_the_deadline_is_not_called_failed(call: Caller, service: Service) -> None:
    service.answers(206, step("Pending"))

    with pytest.raises(OutcomeUnknown, match="still Pending") as caught:
        await call("create_step", "train", "src/train.py", "train", timeout_s=0)
    assert caught.value.code == "step_pending"


async def test_a_wait_that_the_service_holds_for_too_long_is_asked_again(call: Caller, service: Service) -> None:
    service.answers(206, step("Pending")).fails(httpx.ReadTimeout).answers(200, step("Ready"))
    assert await call("create_step", "train", "src/train.py", "train") == step("Ready")


async def test_a_failed_step_is_not_mistaken_for_an_absent_one(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "step_failed", "message": "no such function"})
    with pytest.raises(StepFailed, match="no such function"):
        await call("get_step", "train")


async def test_an_update_sends_what_is_given_and_waits_for_the_build(call: Caller, service: Service) -> None:
    service.answers(200, step("Pending")).answers(200, step("Ready"))

    document = await call("update_step", "train", function_name="fit", container_config={"repository_branch": "next"})

    assert document == step("Ready")
    asked, waited = service.requests
    assert (asked.method, asked.url.path, waited.url.path) == ("PUT", "/api/v1/steps/train", "/api/v1/steps/train")
    assert json.loads(asked.content) == {"function_name": "fit", "container_config": {"repository_branch": "next"}}


async def test_an_update_that_cannot_be_built_is_refused_with_its_reason_and_code(
    call: Caller, service: Service
) -> None:
    info = {"status": "Failed", "failure": "no such branch", "failure_code": "branch_not_found"}
    service.answers(200, step("Pending")).answers(200, {"creation_info": info})
    with pytest.raises(StepFailed, match="no such branch") as caught:
        await call("update_step", "train")
    assert caught.value.details == {"step_name": "train", "failure_code": "branch_not_found"}
