"""Every write as a value: what a client's method of the same name sends, and what `submit` sends without waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any
from uuid import uuid4

from pipeloom.client.documents import (
    DeletedEnvironmentVariable,
    DeletedPipeline,
    DeletedStep,
    Deployment,
    DeploymentRef,
    Pipeline,
    Step,
)
from pipeloom.client.requests import Document, Request, path_to
from pipeloom.client.upload import packed

Declared = Sequence[Mapping[str, Any]]

_ADDRESSES = {"endpoint": "/endpoints", "periodic": "/periodic-deployment"}


def create_step(
    step_name: str,
    function_path: str,
    function_name: str,
    description: str | None = None,
    container_config: Mapping[str, Any] | None = None,
    inputs: Declared | None = None,
    outputs: Declared | None = None,
    *,
    idempotency_key: str | None = None,
) -> Request[Step]:
    """Ask for a step from the function in a repository, or in the `local_folder` of the container_config."""
    config = dict(container_config or {})
    folder = config.pop("local_folder", None)
    body = {
        "step_name": step_name,
        "function_path": function_path,
        "function_name": function_name,
        "description": description,
        "container_config": config,
        "inputs": inputs,
        "outputs": outputs,
    }
    request: Request[Step] = _create("/steps", body, idempotency_key)
    return request if folder is None else replace(request, upload=packed(Path(folder)))


def delete_step(
    step_name: str, force_dependents_deletion: bool = False, *, idempotency_key: str | None = None
) -> Request[DeletedStep]:
    """Ask for a step's deletion; forced, the pipelines on it and their deployments go with it."""
    return _delete("/steps", step_name, idempotency_key, force_dependents_deletion=force_dependents_deletion)


def create_pipeline(pipeline_name: str, step_name: str, *, idempotency_key: str | None = None) -> Request[Pipeline]:
    """Ask for a pipeline on one step."""
    return _create("/pipelines", {"pipeline_name": pipeline_name, "step_names": [step_name]}, idempotency_key)


def delete_pipeline(
    pipeline_name: str, force_deployments_deletion: bool = False, *, idempotency_key: str | None = None
) -> Request[DeletedPipeline]:
    """Ask for a pipeline's deletion; forced, its deployments go with it."""
    return _delete("/pipelines", pipeline_name, idempotency_key, force_deployments_deletion=force_deployments_deletion)


def create_deployment(
    name: str,
    pipeline_name: str,
    execution_rule: str,
    schedule: str | None = None,
    mode: str = "elastic",
    description: str | None = None,
    inputs_mapping: Declared | None = None,
    outputs_mapping: Declared | None = None,
    *,
    idempotency_key: str | None = None,
) -> Request[Deployment]:
    """Ask for a deployment at the address of its rule. Raises ValueError on a rule that there is not."""
    if execution_rule not in _ADDRESSES:
        raise ValueError(f"execution_rule is '{execution_rule}'; it must be one of {', '.join(_ADDRESSES)}")
    body = {
        "name": name,
        "pipeline_name": pipeline_name,
        "schedule": schedule,
        "mode": mode,
        "description": description,
        "inputs_mapping": inputs_mapping,
        "outputs_mapping": outputs_mapping,
    }
    return _create(_ADDRESSES[execution_rule], body, idempotency_key)


def delete_deployment(name: str, *, idempotency_key: str | None = None) -> Request[DeploymentRef]:
    """Ask for a deployment's deletion."""
    return _delete("/deployments", name, idempotency_key)


def create_or_update_environment_variable(
    environment_variable_name: str, environment_variable_value: str, *, idempotency_key: str | None = None
) -> Request[None]:
    """Ask for a variable of the environment to have a value."""
    body = {"environment_variables": {environment_variable_name: environment_variable_value}}
    key = usable_key(idempotency_key)
    return Request("PUT", "/environment-variables", NoneType, body=body, idempotency_key=key)


def delete_environment_variable(
    environment_variable_name: str, *, idempotency_key: str | None = None
) -> Request[DeletedEnvironmentVariable]:
    """Ask for a variable's deletion."""
    return _delete("/environment-variables", environment_variable_name, idempotency_key)


def usable_key(given: str | None) -> str:
    """Return the idempotency key to send. Raises ValueError on a blank one, or one that no header can carry."""
    if given is None:
        return str(uuid4())
    if not (isinstance(given, str) and given.strip() and given.isascii() and given.isprintable()):
        raise ValueError("idempotency_key must be text of printable ASCII characters, and not blank")
    return given


def _create(collection: str, body: Document, idempotency_key: str | None) -> Request[Any]:
    given = {name: value for name, value in body.items() if value is not None}
    return Request("POST", collection, dict, body=given, idempotency_key=usable_key(idempotency_key))


def _delete(collection: str, name: str, idempotency_key: str | None, **flags: bool) -> Request[Any]:
    return Request(
        "DELETE",
        path_to(collection, name),
        dict,
        query={flag: str(value).lower() for flag, value in flags.items()},
        idempotency_key=usable_key(idempotency_key),
    )
