"""What a client is answered for each result (sdk-contract 5 to 7)."""

import json
from typing import Any
from uuid import UUID

import pytest

from events.envelope import Event, Position
from events.resources import Deployment, DeploymentRef, Pipeline, Step
from events.results import (
    DeploymentCreated,
    DeploymentDeleted,
    EndpointTokenRenewed,
    EnvironmentVariableDeleted,
    EnvironmentVariablesSet,
    EventData,
    PipelineCreated,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepUpdated,
)
from services.command import answers
from services.kit.documents import documents_of
from services.kit.sealing import Sealer
from services.kit.tokens import Tokens, hash_secret
from services.kit.variables import seal_value
from tests.unit.composer.world import variable

from .conftest import MakeRequest

AT = "2026-01-31T12:00:00.000Z"
COMMAND = UUID("0192f6a0-0000-7000-8000-000000000001")
STEP = Step.model_validate(
    {
        "step_name": "train",
        "function_path": "src/train.py",
        "function_name": "train",
        "description": None,
        "inputs": [],
        "outputs": [],
        "container_config": {},
        "status": "Pending",
        "requested_by": str(COMMAND),
        "created_at": AT,
        "created_by": "ada",
        "updated_at": AT,
    }
)
PIPELINE = Pipeline(
    pipeline_name="my pipeline é",
    step_names=["train"],
    connections=[],
    inputs=[],
    outputs=[],
    status="Ready",
    created_at=AT,
    created_by="ada",
)


def deployment(rule: str) -> Deployment:
    return Deployment.model_validate(
        {
            "name": "live",
            "pipeline_name": "my pipeline é",
            "execution_rule": rule,
            "mode": "elastic",
            "description": None,
            "schedule": "0 6 * * 1" if rule == "periodic" else None,
            "inputs_mapping": [],
            "outputs_mapping": [],
            "endpoint_token_hash": "a-hash" if rule == "endpoint" else None,
            "created_at": AT,
            "created_by": "ada",
            "updated_at": AT,
            "updated_by": "ada",
        }
    )


def event(data: EventData) -> Event:
    return Event(
        partition=0,
        position=Position(41, 0),
        environment="lab",
        sequence=7,
        type=type(data).__name__,
        version=1,
        subject=data.subject(),
        command_id=COMMAND,
        command_source="/tests",
        is_result=True,
        actor="ada",
        time=AT,
        data=data.model_dump_json(),
    )


def body(raw: bytes | memoryview) -> Any:
    return json.loads(bytes(raw))


def test_a_created_pipeline_is_answered_with_its_page_and_its_address() -> None:
    answer = answers.pipeline_created(event(PipelineCreated(pipeline=PIPELINE)))
    assert (answer.status_code, answer.headers["etag"]) == (201, '"7"')
    assert answer.headers["location"] == "/api/v1/pipelines/my%20pipeline%20%C3%A9"
    assert body(answer.body) == json.loads(documents_of(PIPELINE).document)


def test_an_accepted_step_is_answered_with_206_for_the_sdk_to_poll(make_request: MakeRequest) -> None:
    answer = answers.step_created(make_request())(event(StepCreated(step=STEP)))
    assert (answer.status_code, answer.headers["location"]) == (206, "/api/v1/steps/train")
    assert body(answer.body)["creation_info"]["status"] == "Pending"


def test_a_newer_sdk_is_answered_in_its_own_spelling(make_request: MakeRequest) -> None:
    request = make_request({"craft-ai-client": "craft-ai-sdk@0.50.1"})
    created = answers.step_created(request)(event(StepCreated(step=STEP)))
    updated = answers.step_updated(request)(event(StepUpdated(step=STEP, before=STEP)))
    assert [body(each.body)["creation_info"]["status"] for each in (created, updated)] == ["creation_pending"] * 2
    assert (created.status_code, updated.status_code) == (206, 200)


def test_no_secret_is_in_an_answer(make_request: MakeRequest) -> None:
    step = STEP.model_copy(update={"sealed_deploy_key": "sealed:v1:x:y", "source": f"sha256:{'5' * 64}"})
    answer = answers.step_created(make_request())(event(StepCreated(step=step)))
    assert b"sealed" not in bytes(answer.body)
    assert b"sha256" not in bytes(answer.body)


def test_a_deleted_pipeline_is_answered_exactly_as_the_page_says() -> None:
    refs = [DeploymentRef(name="live", execution_rule="endpoint"), DeploymentRef(name="n", execution_rule="periodic")]
    answer = answers.pipeline_deleted(event(PipelineDeleted(pipeline=PIPELINE, deployments=refs)))
    assert answer.status_code == 200
    assert body(answer.body) == {
        "pipeline": {"name": "my pipeline é"},
        "deployments": [
            {"name": "live", "execution_rule": "endpoint"},
            {"name": "n", "execution_rule": "periodic"},
        ],
    }


def test_a_deleted_step_is_answered_with_its_name() -> None:
    answer = answers.step_deleted(event(StepDeleted(step=STEP, pipelines=["p"], deployments=[])))
    assert (answer.status_code, body(answer.body)) == (200, {"step_name": "train"})


def test_a_created_endpoint_is_answered_with_its_token_and_never_the_hash(tokens: Tokens) -> None:
    token = tokens.endpoint_token("lab", COMMAND)
    made = deployment("endpoint").model_copy(update={"endpoint_token_hash": hash_secret(token).hex()})
    answer = answers.deployment_created(tokens)(event(DeploymentCreated(deployment=made)))
    assert answer.status_code == 201
    assert body(answer.body) == {
        **json.loads(documents_of(made).document),
        "endpoint_token": token,
    }
    assert hash_secret(token).hex().encode() not in bytes(answer.body)


def test_an_endpoint_token_that_cannot_be_derived_any_more_is_left_out(tokens: Tokens) -> None:
    answer = answers.deployment_created(tokens)(event(DeploymentCreated(deployment=deployment("endpoint"))))
    assert "endpoint_token" not in body(answer.body)


def test_a_created_periodic_deployment_has_a_schedule_and_no_token(tokens: Tokens) -> None:
    answer = answers.deployment_created(tokens)(event(DeploymentCreated(deployment=deployment("periodic"))))
    told = body(answer.body)
    assert "endpoint_token" not in told
    assert (told["schedule"], told["human_readable_schedule"]) == ("0 6 * * 1", "At 06:00 AM, only on Monday")


@pytest.mark.parametrize("rule", ["endpoint", "periodic"])
def test_a_deleted_deployment_is_answered_with_its_name_and_rule(rule: str) -> None:
    answer = answers.deployment_deleted(event(DeploymentDeleted(deployment=deployment(rule))))
    assert (answer.status_code, body(answer.body)) == (200, {"name": "live", "execution_rule": rule})


def test_a_renewed_token_is_answered_alone_and_kept_by_no_cache(tokens: Tokens) -> None:
    token_hash = hash_secret(tokens.endpoint_token("lab", COMMAND)).hex()
    now = deployment("endpoint").model_copy(update={"endpoint_token_hash": token_hash})
    renewed = EndpointTokenRenewed(deployment=now, before=deployment("endpoint"))
    answer = answers.endpoint_token_renewed(tokens)(event(renewed))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert body(answer.body) == {"endpoint_token": tokens.endpoint_token("lab", COMMAND)}


def test_variables_that_were_set_are_answered_without_their_values() -> None:
    answer = answers.variables_set(event(EnvironmentVariablesSet(environment_variables=[variable("A")], replaced=[])))
    assert [each["name"] for each in body(answer.body)["environment_variables"]] == ["A"]
    assert b"sealed" not in bytes(answer.body)


def test_a_deleted_variable_is_answered_with_its_last_value(sealer: Sealer) -> None:
    last = variable("A", seal_value(sealer, "lab", "A", "sesame"))
    answer = answers.variable_deleted(sealer)(event(EnvironmentVariableDeleted(environment_variable=last)))
    assert body(answer.body) == {"name": "A", "value": "sesame"}
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_a_variable_that_is_deleted_is_told_so_even_when_its_value_cannot_be_opened(sealer: Sealer) -> None:
    last = variable("A", seal_value(sealer, "lab", "B", "sealed for another"))
    answer = answers.variable_deleted(sealer)(event(EnvironmentVariableDeleted(environment_variable=last)))
    assert (answer.status_code, body(answer.body)) == (200, {"name": "A", "value": None})
