"""The client that waits."""

import time
from types import TracebackType
from typing import Self, TypeVar

import httpx

from pipeloom.client import flows, requests
from pipeloom.client.delivery import Attempt, Flow, Reply
from pipeloom.client.requests import Document, Request
from pipeloom.client.session import Session

T = TypeVar("T")


class Client:
    """Pipeloom from a program, one call at a time.

    >>> with Client() as pipeloom:
    ...     pipeloom.create_pipeline("churn", "train")

    Every write carries an idempotency key and is tried again with the same one when the connection breaks, so it
    takes effect once. Errors are of the kinds in `pipeloom.client.errors`.
    """

    def __init__(
        self,
        url: str | None = None,
        sdk_token: str | None = None,
        timeout_s: float = 30.0,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Speak to `url` (else PIPELOOM_URL) as the owner of `sdk_token` (else PIPELOOM_SDK_TOKEN, CRAFT_AI_SDK_TOKEN).

        `timeout_s` is how long an answer may take; a write gets at least 40 s, since the service itself waits for its
        result. Raises NotConfigured when the address or the token is missing.
        """
        self._session = Session(url, sdk_token, timeout_s)
        self._http = httpx.Client(transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def who_am_i(self) -> Document:
        """Return the user whose token this is: `id`, `name`, `email`."""
        return self._call(requests.me())

    def create_step(
        self,
        step_name: str,
        function_path: str,
        function_name: str,
        description: str | None = None,
        container_config: Document | None = None,
        inputs: list[Document] | None = None,
        outputs: list[Document] | None = None,
        *,
        wait: bool = True,
        timeout_s: float = 180.0,
        idempotency_key: str | None = None,
    ) -> Document:
        """Create a step from the function in a repository; return it once it is Ready, or Pending without `wait`.

        Raises Refused with the code `step_failed` and the reason when it cannot be built, OutcomeUnknown when it is
        still Pending after `timeout_s`.
        """
        body = {
            "step_name": step_name,
            "function_path": function_path,
            "function_name": function_name,
            "description": description,
            "container_config": container_config or {},
            "inputs": inputs,
            "outputs": outputs,
        }
        request = requests.create("/steps", body, idempotency_key)
        return self._run(flows.create_step(self._session, request, wait=wait, timeout_s=timeout_s))

    def get_step(self, step_name: str) -> Document | None:
        """Return a step, or None when there is none of that name."""
        return self._find(requests.read_one("/steps", step_name, "step_not_found"))

    def list_steps(self) -> list[Document]:
        """Return all steps: `step_name`, `status`, `created_at` and where their code is from."""
        return self._call(requests.read_all("/steps"))

    def delete_step(
        self, step_name: str, force_dependents_deletion: bool = False, *, idempotency_key: str | None = None
    ) -> Document:
        """Delete a step; forced, the pipelines on it and their deployments go with it."""
        return self._call(
            requests.delete("/steps", step_name, idempotency_key, force_dependents_deletion=force_dependents_deletion)
        )

    def create_pipeline(self, pipeline_name: str, step_name: str, *, idempotency_key: str | None = None) -> Document:
        """Create a pipeline on a step that is Ready; it can be read by everyone once this returns."""
        return self._call(requests.create_pipeline(pipeline_name, step_name, idempotency_key))

    def get_pipeline(self, pipeline_name: str) -> Document | None:
        """Return a pipeline, or None when there is none of that name."""
        return self._find(requests.read_one("/pipelines", pipeline_name, "pipeline_not_found"))

    def list_pipelines(self) -> list[Document]:
        """Return all pipelines: `pipeline_name`, `created_at`, `status`."""
        return self._call(requests.read_all("/pipelines"))

    def delete_pipeline(
        self, pipeline_name: str, force_deployments_deletion: bool = False, *, idempotency_key: str | None = None
    ) -> Document:
        """Delete a pipeline; forced, its deployments go with it. Return what was deleted."""
        return self._call(
            requests.delete(
                "/pipelines", pipeline_name, idempotency_key, force_deployments_deletion=force_deployments_deletion
            )
        )

    def create_deployment(
        self,
        name: str,
        pipeline_name: str,
        execution_rule: str,
        schedule: str | None = None,
        mode: str = "elastic",
        description: str | None = None,
        inputs_mapping: list[Document] | None = None,
        outputs_mapping: list[Document] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Document:
        """Deploy a pipeline by an `endpoint`, or `periodic` by a `schedule` of five cron fields in UTC."""
        body = {
            "name": name,
            "pipeline_name": pipeline_name,
            "schedule": schedule,
            "mode": mode,
            "description": description,
            "inputs_mapping": inputs_mapping,
            "outputs_mapping": outputs_mapping,
        }
        return self._call(requests.create_deployment(execution_rule, body, idempotency_key))

    def get_deployment(self, name: str) -> Document | None:
        """Return a deployment, or None when there is none of that name."""
        return self._find(requests.read_one("/deployments", name, "deployment_not_found"))

    def list_deployments(self) -> list[Document]:
        """Return all deployments: `name`, `pipeline_name`, `execution_rule`, `is_enabled`, `created_at`."""
        return self._call(requests.read_all("/deployments"))

    def delete_deployment(self, name: str, *, idempotency_key: str | None = None) -> Document:
        """Delete a deployment. Return what was deleted."""
        return self._call(requests.delete("/deployments", name, idempotency_key))

    def get_command(self, command_id: str, wait_s: float = 0.0) -> Document:
        """Return what became of a command, waiting up to `wait_s` for it: `status` succeeded, rejected or unknown."""
        return self._run(flows.get_command(self._session, command_id, wait_s))

    def _call(self, request: Request[T]) -> T:
        return self._run(flows.exchange(self._session, request))

    def _find(self, request: Request[T]) -> T | None:
        flow = flows.find(self._session, request)
        return self._run(flow)

    def _run(self, flow: Flow[T]) -> T:
        try:
            attempt = next(flow)
            while True:
                attempt = flow.send(self._reply_to(attempt))
        except StopIteration as end:
            value: T = end.value
            return value

    def _reply_to(self, attempt: Attempt) -> Reply:
        if attempt.after_s:
            time.sleep(attempt.after_s)
        try:
            return self._http.request(**attempt.arguments)
        except httpx.RequestError as error:
            return error
