"""Every write as a value: what a client's method of the same name sends, and what `submit` sends without waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any
from uuid import uuid4

from pipeloom.client.documents import (
    Command,
    DeletedEnvironmentVariable,
    DeletedPipeline,
    DeletedStep,
    Deployment,
    DeploymentRef,
    EndpointToken,
    Pipeline,
    Step,
)
from pipeloom.client.requests import Document, Request, path_to
from pipeloom.client.upload import OnUpload, Upload, wanted_paths

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
    folder: str | Path | None = None,
    on_upload: OnUpload | None = None,
    idempotency_key: str | None = None,
) -> Request[Step]:
    """Ask for a step from the function in a repository, or in a `folder` of this machine.

    Raises OSError or ValueError when there is no such folder, or not what is to go along.
    """
    config = dict(container_config or {})
    local_folder = config.pop("local_folder", None)
    if folder is not None and local_folder is not None:
        raise ValueError("The folder is given twice; leave out local_folder of container_config")
    body = {
        "step_name": step_name,
        "function_path": function_path,
        "function_name": function_name,
        "description": description,
        "container_config": config,
        "inputs": inputs,
        "outputs": outputs,
    }
    request: Request[Step] = _send("POST", "/steps", body, idempotency_key)
    source = local_folder if folder is None else folder
    if source is None:
        return request
    return replace(request, upload=Upload(Path(source), wanted_paths(function_path, config), on_upload))


def update_step(
    step_name: str,
    function_path: str | None = None,
    function_name: str | None = None,
    description: str | None = None,
    container_config: Mapping[str, Any] | None = None,
    inputs: Declared | None = None,
    outputs: Declared | None = None,
    *,
    idempotency_key: str | None = None,
) -> Request[Step]:
    """Ask for a step to be built anew; what is None stays as it is."""
    if container_config and "local_folder" in container_config:
        raise ValueError("An update takes no folder: delete the step and create it again, or build from a repository")
    body = {
        "function_path": function_path,
        "function_name": function_name,
        "description": description,
        "container_config": container_config,
        "inputs": inputs,
        "outputs": outputs,
    }
    return _send("PUT", path_to("/steps", step_name), body, idempotency_key)


def delete_step(
    step_name: str, force_dependents_deletion: bool = False, *, idempotency_key: str | None = None
) -> Request[DeletedStep]:
    """Ask for a step's deletion; forced, the pipelines on it and their deployments go with it."""
    return _delete("/steps", step_name, idempotency_key, force_dependents_deletion=force_dependents_deletion)


def create_pipeline(pipeline_name: str, step_name: str, *, idempotency_key: str | None = None) -> Request[Pipeline]:
    """Ask for a pipeline on one step."""
    return _send("POST", "/pipelines", {"pipeline_name": pipeline_name, "step_names": [step_name]}, idempotency_key)


def delete_pipeline(
    pipeline_name: str, force_deployments_deletion: bool = False, *, idempotency_key: str | None = None
) -> Request[DeletedPipeline]:
    """Ask for a pipeline's deletion; forced, its deployments go with it."""
    return _delete("/pipelines", pipeline_name, idempotency_key, force_deployments_deletion=force_deployments_deletion)


def create_deployment(
    pipeline_name: str,
    deployment_name: str,
    execution_rule: str,
    mode: str = "elastic",
    schedule: str | None = None,
    inputs_mapping: Declared | None = None,
    outputs_mapping: Declared | None = None,
    description: str | None = None,
    enable_parallel_executions: bool | None = None,
    max_parallel_executions_per_pod: int | None = None,
    ram_request: str | None = None,
    gpu_request: int | None = None,
    *,
    idempotency_key: str | None = None,
) -> Request[Deployment]:
    """Ask for a deployment at the address of its rule. Raises ValueError on a rule that there is not."""
    if execution_rule not in _ADDRESSES:
        raise ValueError(f"execution_rule is '{execution_rule}'; it must be one of {', '.join(_ADDRESSES)}")
    body = {
        "name": deployment_name,
        "pipeline_name": pipeline_name,
        "schedule": schedule,
        "mode": mode,
        "description": description,
        "inputs_mapping": inputs_mapping,
        "outputs_mapping": outputs_mapping,
        "enable_parallel_executions": enable_parallel_executions,
        "max_parallel_executions_per_pod": max_parallel_executions_per_pod,
        "ram_request": ram_request,
        "gpu_request": gpu_request,
    }
    return _send("POST", _ADDRESSES[execution_rule], body, idempotency_key)


def generate_new_endpoint_token(endpoint_name: str, *, idempotency_key: str | None = None) -> Request[EndpointToken]:
    """Ask for another token of an endpoint."""
    return _send("POST", f"{path_to('/endpoints', endpoint_name)}/generate-new-token", None, idempotency_key)


def delete_deployment(deployment_name: str, *, idempotency_key: str | None = None) -> Request[DeploymentRef]:
    """Ask for a deployment's deletion."""
    return _delete("/deployments", deployment_name, idempotency_key)


def create_or_update_environment_variable(
    environment_variable_name: str, environment_variable_value: str, *, idempotency_key: str | None = None
) -> Request[None]:
    """Ask for a variable of the environment to have a value."""
    variables = {environment_variable_name: environment_variable_value}
    return create_or_update_environment_variables(variables, idempotency_key=idempotency_key)


def create_or_update_environment_variables(
    environment_variables: Mapping[str, str], *, idempotency_key: str | None = None
) -> Request[None]:
    """Ask for variables of the environment to have values, all of them or none."""
    body = {"environment_variables": dict(environment_variables)}
    key = usable_key(idempotency_key)
    return Request("PUT", "/environment-variables", NoneType, body=body, idempotency_key=key)


def delete_environment_variable(
    environment_variable_name: str, *, idempotency_key: str | None = None
) -> Request[DeletedEnvironmentVariable]:
    """Ask for a variable's deletion."""
    return _delete("/environment-variables", environment_variable_name, idempotency_key)


def replay_dead_letter(
    dead_letter_id: str,
    data: Mapping[str, Any] | None = None,
    command_type: str | None = None,
    *,
    idempotency_key: str | None = None,
) -> Request[Command]:
    """Ask for a dead letter to be sent again as a new command: as it is, or mended by `data` and `command_type`."""
    mended = {"type": command_type, "data": None if data is None else dict(data)}
    is_mended = any(value is not None for value in mended.values())
    path = f"{path_to('/dead-letters', dead_letter_id)}/replay"
    return _send("POST", path, mended if is_mended else None, idempotency_key)


def usable_key(given: str | None) -> str:
    """Return the idempotency key to send. Raises ValueError on a blank one, or one that no header can carry."""
    if given is None:
        return str(uuid4())
    if not (isinstance(given, str) and given.strip() and given.isascii() and given.isprintable()):
        raise ValueError("idempotency_key must be text of printable ASCII characters, and not blank")
    return given


def _send(method: str, path: str, body: Document | None, idempotency_key: str | None) -> Request[Any]:
    given = None if body is None else {name: value for name, value in body.items() if value is not None}
    return Request(method, path, dict, body=given, idempotency_key=usable_key(idempotency_key))


def _delete(collection: str, name: str, idempotency_key: str | None, **flags: bool) -> Request[Any]:
    return Request(
        "DELETE",
        path_to(collection, name),
        dict,
        query={flag: str(value).lower() for flag, value in flags.items()},
        idempotency_key=usable_key(idempotency_key),
    )
