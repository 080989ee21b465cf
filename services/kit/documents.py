"""The documents that clients read, each assembled once from a resource (source: sdk-contract 5.3, 6 and 7)."""

from typing import Any, NamedTuple

import pydantic_core

from events.resources import LOW_LATENCY_OPTIONS, Deployment, DeploymentInput, DeploymentOutput, Pipeline, Step
from services.kit.schedules import schedule_in_words

Document = dict[str, Any]

NOTHING_RUNS = "standby"


class Documents(NamedTuple):
    """What is stored of a resource for its readers, as JSON text: its own page, and its entry in a list."""

    document: str
    summary: str


def documents_of(resource: Step | Pipeline | Deployment) -> Documents:
    """Return the JSON texts that readers of `resource` get."""
    return Documents(_json(document_of(resource)), _json(summary_of(resource)))


def document_of(resource: Step | Pipeline | Deployment) -> Document:
    """Return the page of `resource`."""
    match resource:
        case Step():
            return step_document(resource)
        case Pipeline():
            return pipeline_document(resource)
        case Deployment():
            return deployment_document(resource)


def summary_of(resource: Step | Pipeline | Deployment) -> Document:
    """Return the entry of `resource` in a list."""
    match resource:
        case Step():
            return _step_summary(resource)
        case Pipeline():
            return _pipeline_summary(resource)
        case Deployment():
            return _deployment_summary(resource)


def pipeline_document(pipeline: Pipeline) -> Document:
    """Return a pipeline's page. Inputs and outputs stand under both of the names that client versions read."""
    inputs = [each.model_dump() for each in pipeline.inputs]
    outputs = [each.model_dump() for each in pipeline.outputs]
    return {
        "pipeline_name": pipeline.pipeline_name,
        "created_at": pipeline.created_at,
        "created_by": pipeline.created_by,
        "last_execution_id": None,
        "status": pipeline.status,
        "steps": pipeline.step_names,
        "inputs": inputs,
        "outputs": outputs,
        "open_inputs": inputs,
        "open_outputs": outputs,
    }


def _pipeline_summary(pipeline: Pipeline) -> Document:
    return pipeline.model_dump(include={"pipeline_name", "created_at", "status"})


def step_document(step: Step) -> Document:
    """Return a step's page; `failure` and its code stand in it only when the build failed.

    The status stands in what comes last: readers of other spellings look for it from the end.
    """
    told = {"step_name", "function_path", "function_name", "description", "inputs", "outputs", "container_config"}
    creation = step.model_dump(include={"created_at", "updated_at", "commit_id", "status", "origin"})
    if step.failure is not None:
        creation |= {"failure": step.failure, "failure_code": step.failure_code}
    return {"parameters": step.model_dump(include=told), "creation_info": creation}


def _step_summary(step: Step) -> Document:
    told = step.model_dump(include={"step_name", "status", "created_at", "updated_at", "commit_id", "origin"})
    source = {key: step.container_config.get(key) for key in ("repository_url", "repository_branch")}
    return {**told, **source}


def deployment_document(deployment: Deployment) -> Document:
    """Return a deployment's page, with the keys of every client version.

    Its status is `standby`: accepted and kept, but nothing runs it yet.
    """
    hidden = {"pipeline_name", "endpoint_token_hash", "inputs_mapping", "outputs_mapping", *LOW_LATENCY_OPTIONS}
    return {
        **deployment.model_dump(exclude=hidden),
        **_low_latency(deployment),
        "pipeline": {"name": deployment.pipeline_name},
        "inputs_mapping": [_mapped_input(each) for each in deployment.inputs_mapping],
        "outputs_mapping": [_mapped_output(each) for each in deployment.outputs_mapping],
        "human_readable_schedule": schedule_in_words(deployment.schedule),
        "last_execution_id": None,
        "is_enabled": True,
        "active": True,
        "status": NOTHING_RUNS,
        "update_status": "success",
    }


def _low_latency(deployment: Deployment) -> Document:
    if deployment.mode != "low_latency":
        return {}
    return {**deployment.model_dump(include=set(LOW_LATENCY_OPTIONS)), "pods": []}


def _mapped_input(mapping: DeploymentInput) -> Document:
    """Return a mapping under both of the names that client versions read, with its source alone."""
    told = _described(mapping, mapping.pipeline_input_name, "input")
    if mapping.endpoint_input_name is not None:
        told |= {"is_required": mapping.is_required, "default_value": mapping.default_value}
    return told | {source: getattr(mapping, source) for source in mapping.sources()}


def _mapped_output(mapping: DeploymentOutput) -> Document:
    told = _described(mapping, mapping.pipeline_output_name, "output")
    return told | {destination: getattr(mapping, destination) for destination in mapping.destinations()}


def _described(mapping: DeploymentInput | DeploymentOutput, name: str, kind: str) -> Document:
    described = {"data_type": mapping.data_type, "description": mapping.description}
    return {f"step_{kind}_name": name, f"pipeline_{kind}_name": name, **described}


def _deployment_summary(deployment: Deployment) -> Document:
    """Return a deployment's entry in the list, with the keys of every client version (a pipeline has no versions)."""
    told = deployment.model_dump(include={"name", "pipeline_name", "execution_rule", "mode", "created_at"})
    old = {"type": deployment.execution_rule, "version": None, "executions_count": 0}
    return {**told, "is_enabled": True, **old}


def _json(document: Document) -> str:
    return pydantic_core.to_json(document).decode()
