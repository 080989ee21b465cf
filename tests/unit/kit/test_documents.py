"""The documents that clients read: every key of the page and of the SDK's contract."""

import json
from typing import Any

import pytest

from events.resources import Deployment, InputSpec, OutputSpec, Pipeline, PipelineInput, PipelineOutput, Step
from services.kit.documents import documents_of

AT = "2026-01-31T12:00:00.000Z"
LATER = "2026-02-01T12:00:00.000Z"
ADA = "7e3f2d0c-0000-4000-8000-000000000001"


def make_pipeline(**changes: Any) -> Pipeline:
    fields: dict[str, Any] = {
        "pipeline_name": "churn",
        "step_names": ["train"],
        "connections": [],
        "inputs": [
            PipelineInput(
                input_name="rows",
                step_name="train",
                data_type="array",
                description="What to learn from",
                default_value=[1, 2.5, None],
                is_required=True,
            )
        ],
        "outputs": [PipelineOutput(output_name="model", step_name="train", data_type="file", description=None)],
        "status": "Ready",
        "created_at": AT,
        "created_by": ADA,
    }
    return Pipeline(**(fields | changes))


def make_step(**changes: Any) -> Step:
    fields: dict[str, Any] = {
        "step_name": "train",
        "function_path": "src/train.py",
        "function_name": "train",
        "description": "Learns",
        "inputs": [InputSpec(name="rows", data_type="array", is_required=True, default_value=[])],
        "outputs": [OutputSpec(name="model", data_type="file", description="The weights")],
        "container_config": {
            "language": "python:3.11",
            "repository_url": "https://git.example/churn",
            "repository_branch": "main",
            "included_folders": ["src"],
        },
        "status": "Ready",
        "requested_by": "0192f6a0-0000-7000-8000-000000000001",
        "created_at": AT,
        "created_by": ADA,
        "updated_at": LATER,
        "commit_id": "c" * 40,
        "origin": "git_repository",
    }
    return Step.model_validate(fields | changes)


def make_deployment(**changes: Any) -> Deployment:
    fields: dict[str, Any] = {
        "name": "live",
        "pipeline_name": "churn",
        "execution_rule": "endpoint",
        "mode": "elastic",
        "description": "For the shop",
        "schedule": None,
        "inputs_mapping": [
            {
                "pipeline_input_name": "rows",
                "data_type": "array",
                "description": "What to learn from",
                "endpoint_input_name": "lines",
                "is_required": True,
            },
            {"pipeline_input_name": "mode", "data_type": "string", "constant_value": "fast"},
        ],
        "outputs_mapping": [{"pipeline_output_name": "model", "data_type": "file", "datastore_path": "m/{date}"}],
        "endpoint_token_hash": "5e884898da28047151d0e56f8dc62927",
        "created_at": AT,
        "created_by": ADA,
        "updated_at": LATER,
        "updated_by": ADA,
    }
    return Deployment.model_validate(fields | changes)


def read(resource: Step | Pipeline | Deployment) -> tuple[Any, Any]:
    documents = documents_of(resource)
    return json.loads(documents.document), json.loads(documents.summary)


def test_a_pipelines_page_has_every_key_of_the_seeds() -> None:
    page, _ = read(make_pipeline())
    inputs = [
        {
            "input_name": "rows",
            "step_name": "train",
            "data_type": "array",
            "description": "What to learn from",
            "default_value": [1, 2.5, None],
            "is_required": True,
        }
    ]
    outputs = [{"output_name": "model", "step_name": "train", "data_type": "file", "description": None}]
    assert page == {
        "pipeline_name": "churn",
        "created_at": AT,
        "created_by": ADA,
        "last_execution_id": None,
        "status": "Ready",
        "steps": ["train"],
        "inputs": inputs,
        "outputs": outputs,
        "open_inputs": inputs,
        "open_outputs": outputs,
    }


def test_a_pipelines_entry_in_the_list_has_exactly_the_seeds_keys() -> None:
    _, entry = read(make_pipeline())
    assert entry == {"pipeline_name": "churn", "created_at": AT, "status": "Ready"}


def test_a_pipeline_may_have_no_inputs_and_no_outputs() -> None:
    page, _ = read(make_pipeline(inputs=[], outputs=[]))
    assert [page[key] for key in ("inputs", "outputs", "open_inputs", "open_outputs")] == [[], [], [], []]


def test_a_steps_page_has_every_key_of_the_contract() -> None:
    page, _ = read(make_step())
    assert page == {
        "parameters": {
            "step_name": "train",
            "function_path": "src/train.py",
            "function_name": "train",
            "description": "Learns",
            "inputs": [
                {"name": "rows", "data_type": "array", "description": None, "is_required": True, "default_value": []}
            ],
            "outputs": [{"name": "model", "data_type": "file", "description": "The weights"}],
            "container_config": {
                "language": "python:3.11",
                "repository_url": "https://git.example/churn",
                "repository_branch": "main",
                "included_folders": ["src"],
            },
        },
        "creation_info": {
            "created_at": AT,
            "updated_at": LATER,
            "commit_id": "c" * 40,
            "status": "Ready",
            "origin": "git_repository",
        },
    }


def test_a_steps_entry_in_the_list_has_every_key_of_the_contract() -> None:
    _, entry = read(make_step())
    assert entry == {
        "step_name": "train",
        "status": "Ready",
        "created_at": AT,
        "updated_at": LATER,
        "repository_branch": "main",
        "repository_url": "https://git.example/churn",
        "commit_id": "c" * 40,
        "origin": "git_repository",
    }


def test_a_step_without_a_repository_is_listed_without_one() -> None:
    _, entry = read(make_step(container_config={}))
    assert (entry["repository_url"], entry["repository_branch"]) == (None, None)


def test_only_a_failed_step_says_why() -> None:
    failed, _ = read(make_step(status="Failed", failure="There is no src/train.py."))
    assert failed["creation_info"]["failure"] == "There is no src/train.py."
    assert "failure" not in read(make_step())[0]["creation_info"]


def test_an_endpoints_page_has_every_key_of_the_contract_and_no_secret() -> None:
    page, _ = read(make_deployment())
    assert page == {
        "name": "live",
        "pipeline": {"name": "churn"},
        "execution_rule": "endpoint",
        "mode": "elastic",
        "description": "For the shop",
        "schedule": None,
        "human_readable_schedule": None,
        "inputs_mapping": [
            {
                "step_input_name": "rows",
                "pipeline_input_name": "rows",
                "data_type": "array",
                "description": "What to learn from",
                "endpoint_input_name": "lines",
                "is_required": True,
                "default_value": None,
            },
            {
                "step_input_name": "mode",
                "pipeline_input_name": "mode",
                "data_type": "string",
                "description": None,
                "constant_value": "fast",
            },
        ],
        "outputs_mapping": [
            {
                "step_output_name": "model",
                "pipeline_output_name": "model",
                "data_type": "file",
                "description": None,
                "datastore_path": "m/{date}",
            }
        ],
        "created_at": AT,
        "created_by": ADA,
        "updated_at": LATER,
        "updated_by": ADA,
        "last_execution_id": None,
        "is_enabled": True,
        "active": True,
        "status": "standby",
        "update_status": "success",
    }


def test_a_periodic_deployments_page_tells_its_schedule_in_words() -> None:
    page, _ = read(make_deployment(execution_rule="periodic", schedule="0 6 * * 1", endpoint_token_hash=None))
    assert (page["schedule"], page["human_readable_schedule"]) == ("0 6 * * 1", "At 06:00 AM, only on Monday")


def test_a_deployments_entry_in_the_list_has_every_key_of_the_contract() -> None:
    _, entry = read(make_deployment())
    assert entry == {
        "name": "live",
        "pipeline_name": "churn",
        "execution_rule": "endpoint",
        "mode": "elastic",
        "created_at": AT,
        "is_enabled": True,
        "type": "endpoint",
        "version": None,
        "executions_count": 0,
    }


def test_a_low_latency_deployments_page_tells_its_options_and_that_it_has_no_pods() -> None:
    page, entry = read(
        make_deployment(
            mode="low_latency",
            enable_parallel_executions=True,
            max_parallel_executions_per_pod=6,
            ram_request="512MiB",
            gpu_request=1,
        )
    )
    assert page["pods"] == []
    assert (page["enable_parallel_executions"], page["max_parallel_executions_per_pod"]) == (True, 6)
    assert (page["ram_request"], page["gpu_request"], entry["mode"]) == ("512MiB", 1, "low_latency")


@pytest.mark.parametrize("text", ["Ünïcode 😀", 'quoted "text"', "a\x00b\u2028", "</script>"])
def test_any_text_comes_out_of_a_document_as_it_went_in(text: str) -> None:
    assert read(make_step(description=text))[0]["parameters"]["description"] == text
