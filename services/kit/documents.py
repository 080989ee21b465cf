"""The documents that clients read, each assembled once from a resource (source: sdk-contract 5.3, 6 and 7)."""

from typing import Any, NamedTuple

import pydantic_core
from cron_descriptor import FormatError, MissingFieldError, Options, WrongArgumentError, get_description

from events.resources import Deployment, Pipeline, Step

Document = dict[str, Any]


class Documents(NamedTuple):
    """What is stored of a resource for its readers, as JSON text: its own page, and its entry in a list."""

    document: str
    summary: str


def documents_of(resource: Step | Pipeline | Deployment) -> Documents:
    """Return the JSON texts that readers of `resource` get."""
    match resource:
        case Step():
            return Documents(_json(step_document(resource)), _json(_step_summary(resource)))
        case Pipeline():
            return Documents(_json(pipeline_document(resource)), _json(_pipeline_summary(resource)))
        case Deployment():
            return Documents(_json(deployment_document(resource)), _json(_deployment_summary(resource)))


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
    """Return a deployment's page. Its status is `standby`: accepted and kept, but nothing runs it yet."""
    return {
        **deployment.model_dump(exclude={"pipeline_name", "endpoint_token_hash"}),
        "pipeline": {"name": deployment.pipeline_name},
        "human_readable_schedule": schedule_in_words(deployment.schedule),
        "updated_at": deployment.created_at,
        "updated_by": deployment.created_by,
        "last_execution_id": None,
        "is_enabled": True,
        "status": "standby",
        "update_status": "success",
    }


def _deployment_summary(deployment: Deployment) -> Document:
    told = deployment.model_dump(include={"name", "pipeline_name", "execution_rule", "mode", "created_at"})
    return {**told, "is_enabled": True}


def schedule_in_words(schedule: str | None) -> str | None:
    """Return five cron fields as an English sentence, for example `At 06:00 AM, only on Monday`.

    A schedule that can be followed but not told, such as `*,5 * * * *`, is returned as it is.
    """
    if schedule is None:
        return None
    try:
        return str(get_description(schedule, Options(locale_code="en_US")))
    except (FormatError, MissingFieldError, WrongArgumentError):
        return schedule


def _json(document: Document) -> str:
    return pydantic_core.to_json(document).decode()
