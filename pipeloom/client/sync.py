"""The client that waits."""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from pipeloom.client import documents, flows, requests, trail, webhooks, writes
from pipeloom.client.delivery import Attempt, Flow, Reply
from pipeloom.client.download import save
from pipeloom.client.requests import Request
from pipeloom.client.session import Session
from pipeloom.client.upload import OnUpload
from pipeloom.client.watching import Since, Subscription, Watch
from pipeloom.client.writes import Declared

T = TypeVar("T")


class Client:
    """Pipeloom from a program, one call at a time.

    >>> with Client() as pipeloom:
    ...     pipeloom.create_pipeline("churn", "train")

    Every write carries an idempotency key and is tried again with the same one when the connection breaks, so it
    takes effect once. Errors are of the kinds in `pipeloom.client.errors` and `pipeloom.client.refusals`.
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
        self._http = self._session.open(httpx.Client, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def who_am_i(self) -> documents.User:
        """Return the user whose token this is."""
        return self.send(requests.me())

    def get_user(self, user_id: str) -> documents.User:
        """Return a user who has a token in the same environment. Raises UserNotFound."""
        return self.send(requests.user(user_id))

    def create_step(
        self,
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
        wait: bool = True,
        timeout_s: float = 180.0,
        idempotency_key: str | None = None,
    ) -> documents.Step:
        """Create a step; return it once it is Ready, or Pending without `wait`.

        The function is in the repository that `container_config` names by `repository_url` (and `repository_branch`),
        or in a `folder` of this machine, of which the `included_folders` are uploaded, else all; `on_upload` is called
        with the bytes that are sent and the bytes to send. Raises StepFailed with the reason when it cannot be built,
        OutcomeUnknown when it is still Pending after `timeout_s`.
        """
        request = writes.create_step(
            step_name,
            function_path,
            function_name,
            description,
            container_config,
            inputs,
            outputs,
            folder=folder,
            on_upload=on_upload,
            idempotency_key=idempotency_key,
        )
        return self._run(flows.built_step(self._session, request, step_name, wait=wait, timeout_s=timeout_s))

    def update_step(
        self,
        step_name: str,
        function_path: str | None = None,
        function_name: str | None = None,
        description: str | None = None,
        container_config: Mapping[str, Any] | None = None,
        inputs: Declared | None = None,
        outputs: Declared | None = None,
        *,
        wait: bool = True,
        timeout_s: float = 180.0,
        idempotency_key: str | None = None,
    ) -> documents.Step:
        """Build a step anew, for example from the last commit of its branch; what is None stays as it is.

        While pipelines use the step, its inputs and outputs have to stay. Waits and raises as `create_step` does.
        """
        request = writes.update_step(
            step_name,
            function_path,
            function_name,
            description,
            container_config,
            inputs,
            outputs,
            idempotency_key=idempotency_key,
        )
        return self._run(flows.built_step(self._session, request, step_name, wait=wait, timeout_s=timeout_s))

    def get_step(self, step_name: str) -> documents.Step | None:
        """Return a step, or None when there is none of that name."""
        return self._find(requests.read_one("/steps", step_name, "step_not_found"))

    def list_steps(self) -> list[documents.StepSummary]:
        """Return all steps, in the order of their names."""
        return self.send(requests.read_all("/steps"))

    def iter_steps(self, page_size: int = 100) -> Iterator[documents.StepSummary]:
        """Yield all steps, asking for them page by page."""
        return self._pages(requests.read_all("/steps"), page_size)

    def download_step_code(self, step_name: str) -> bytes:
        """Return the code that a step was built from, as a gzip tar. Raises StepNotFound."""
        return self._run(flows.download(self._session, step_name))

    def download_step_local_folder(self, step_name: str, folder: str | Path) -> Path:
        """Save the code that a step was built from in `folder`, as STEP_NAME.tgz. Return the path of that file."""
        return save(self.download_step_code(step_name), folder, step_name)

    def get_step_logs(
        self,
        step_name: str,
        from_datetime: datetime | None = None,
        to_datetime: datetime | None = None,
        limit: int | None = None,
    ) -> list[documents.LogLine]:
        """Return what is known of a step's last build, from the beginning. Raises StepNotFound."""
        return self.send(requests.logs_of("/steps", step_name, from_datetime, to_datetime, limit))

    def delete_step(
        self, step_name: str, force_dependents_deletion: bool = False, *, idempotency_key: str | None = None
    ) -> documents.DeletedStep:
        """Delete a step; forced, the pipelines on it and their deployments go with it."""
        return self.send(writes.delete_step(step_name, force_dependents_deletion, idempotency_key=idempotency_key))

    def create_pipeline(
        self, pipeline_name: str, step_name: str, *, idempotency_key: str | None = None
    ) -> documents.Pipeline:
        """Create a pipeline on a step that is Ready; it can be read by everyone once this returns."""
        return self.send(writes.create_pipeline(pipeline_name, step_name, idempotency_key=idempotency_key))

    def get_pipeline(self, pipeline_name: str) -> documents.Pipeline | None:
        """Return a pipeline, or None when there is none of that name."""
        return self._find(requests.read_one("/pipelines", pipeline_name, "pipeline_not_found"))

    def list_pipelines(self) -> list[documents.PipelineSummary]:
        """Return all pipelines, in the order of their names."""
        return self.send(requests.read_all("/pipelines"))

    def iter_pipelines(self, page_size: int = 100) -> Iterator[documents.PipelineSummary]:
        """Yield all pipelines, asking for them page by page."""
        return self._pages(requests.read_all("/pipelines"), page_size)

    def get_pipeline_logs(
        self,
        pipeline_name: str,
        from_datetime: datetime | None = None,
        to_datetime: datetime | None = None,
        limit: int | None = None,
    ) -> list[documents.LogLine]:
        """Return what is known of a pipeline's creation. Raises PipelineNotFound."""
        return self.send(requests.logs_of("/pipelines", pipeline_name, from_datetime, to_datetime, limit))

    def delete_pipeline(
        self, pipeline_name: str, force_deployments_deletion: bool = False, *, idempotency_key: str | None = None
    ) -> documents.DeletedPipeline:
        """Delete a pipeline; forced, its deployments go with it. Return what was deleted."""
        return self.send(
            writes.delete_pipeline(pipeline_name, force_deployments_deletion, idempotency_key=idempotency_key)
        )

    def create_deployment(
        self,
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
    ) -> documents.Deployment:
        """Deploy a pipeline by an `endpoint`, or `periodic` by a `schedule` of five cron fields in UTC.

        What comes behind the description goes with the mode `low_latency` only.
        """
        return self.send(
            writes.create_deployment(
                pipeline_name,
                deployment_name,
                execution_rule,
                mode,
                schedule,
                inputs_mapping,
                outputs_mapping,
                description,
                enable_parallel_executions,
                max_parallel_executions_per_pod,
                ram_request,
                gpu_request,
                idempotency_key=idempotency_key,
            )
        )

    def generate_new_endpoint_token(
        self, endpoint_name: str, *, idempotency_key: str | None = None
    ) -> documents.EndpointToken:
        """Give an endpoint another token and return it, this once; the one before ends at once."""
        return self.send(writes.generate_new_endpoint_token(endpoint_name, idempotency_key=idempotency_key))

    def get_deployment(self, deployment_name: str) -> documents.Deployment | None:
        """Return a deployment, or None when there is none of that name."""
        return self._find(requests.read_one("/deployments", deployment_name, "deployment_not_found"))

    def get_deployment_schedule(self, deployment_name: str) -> documents.Schedule:
        """Return the schedule of a periodic deployment, in words too, and the next times at which it comes due.

        Raises DeploymentNotFound, or WrongExecutionRule for an endpoint.
        """
        return self.send(requests.schedule_of(deployment_name))

    def get_deployment_logs(
        self,
        deployment_name: str,
        from_datetime: datetime | None = None,
        to_datetime: datetime | None = None,
        limit: int | None = None,
    ) -> list[documents.LogLine]:
        """Return the log of a deployment: nothing so far, since nothing runs it. Raises DeploymentNotFound."""
        return self.send(requests.logs_of("/deployments", deployment_name, from_datetime, to_datetime, limit))

    def list_deployments(self) -> list[documents.DeploymentSummary]:
        """Return all deployments, in the order of their names."""
        return self.send(requests.read_all("/deployments"))

    def iter_deployments(self, page_size: int = 100) -> Iterator[documents.DeploymentSummary]:
        """Yield all deployments, asking for them page by page."""
        return self._pages(requests.read_all("/deployments"), page_size)

    def delete_deployment(self, deployment_name: str, *, idempotency_key: str | None = None) -> documents.DeploymentRef:
        """Delete a deployment. Return what was deleted."""
        return self.send(writes.delete_deployment(deployment_name, idempotency_key=idempotency_key))

    def create_or_update_environment_variable(
        self, environment_variable_name: str, environment_variable_value: str, *, idempotency_key: str | None = None
    ) -> None:
        """Give a variable of the environment a value."""
        self.send(
            writes.create_or_update_environment_variable(
                environment_variable_name, environment_variable_value, idempotency_key=idempotency_key
            )
        )

    def create_or_update_environment_variables(
        self, environment_variables: Mapping[str, str], *, idempotency_key: str | None = None
    ) -> None:
        """Give variables of the environment values, all of them or none."""
        self.send(writes.create_or_update_environment_variables(environment_variables, idempotency_key=idempotency_key))

    def list_environment_variables(self) -> list[documents.EnvironmentVariable]:
        """Return all variables of the environment with their values."""
        return self.send(requests.read_all("/environment-variables"))

    def delete_environment_variable(
        self, environment_variable_name: str, *, idempotency_key: str | None = None
    ) -> documents.DeletedEnvironmentVariable:
        """Delete a variable of the environment. Return what was deleted."""
        return self.send(writes.delete_environment_variable(environment_variable_name, idempotency_key=idempotency_key))

    def create_webhook(self, url: str, types: Iterable[str] = (), subject: str = "") -> documents.Webhook:
        """Have events posted to `url` from now on: of these `types` (all by default), about subjects that begin so.

        The answer has the secret that signs them, this once. Raises InvalidWebhookUrl, TooManyWebhooks.
        """
        return self.send(webhooks.create(url, types, subject))

    def list_webhooks(self) -> list[documents.Webhook]:
        """Return all webhooks of the environment, the oldest first."""
        return self.send(webhooks.read_all())

    def get_webhook(self, webhook_id: str) -> documents.Webhook | None:
        """Return a webhook, or None when there is none of that id."""
        return self._find(webhooks.read_one(webhook_id))

    def update_webhook(
        self,
        webhook_id: str,
        url: str | None = None,
        types: Iterable[str] | None = None,
        subject: str | None = None,
        status: str | None = None,
    ) -> documents.Webhook:
        """Change a webhook; what is None stays, and no `types` at all mean all of them.

        `status` is `enabled`, which goes on where it stopped, or `disabled`. Raises WebhookNotFound.
        """
        return self.send(webhooks.change(webhook_id, url, types, subject, status))

    def delete_webhook(self, webhook_id: str) -> documents.DeletedWebhook:
        """Delete a webhook and the log of its deliveries. Raises WebhookNotFound."""
        return self.send(webhooks.delete(webhook_id))

    def iter_webhook_deliveries(
        self, webhook_id: str, status: str | None = None, page_size: int = 100
    ) -> Iterator[documents.WebhookDelivery]:
        """Yield what became of a webhook's deliveries, the newest first: all, or those of a `status`."""
        return self._pages(webhooks.deliveries(webhook_id, status), page_size)

    def redeliver_webhook_event(self, webhook_id: str, sequence: int) -> documents.WebhookDelivery:
        """Deliver the event of that `sequence` once more. Raises WebhookDisabled, DeliveryNotFound."""
        return self.send(webhooks.redeliver(webhook_id, sequence))

    def send(self, request: Request[T]) -> T:
        """Send a request, for example a write of `pipeloom.writes`, and return its answer."""
        return self._run(flows.exchange(self._session, request))

    def submit(self, write: Request[Any]) -> str:
        """Send a write of `pipeloom.writes` without waiting for its result; return the command's id.

        `get_command` tells what became of it.
        """
        return self._run(flows.submit(self._session, write))

    def get_command(self, command_id: str, wait_s: float = 0.0) -> documents.Command:
        """Return what became of a command, waiting up to `wait_s` for it: `status` succeeded, rejected or unknown."""
        return self._run(flows.get_command(self._session, command_id, wait_s))

    def history(
        self, kind: trail.Kind, name: str, limit: int | None = None, *, oldest_first: bool = False
    ) -> list[documents.HistoryEntry]:
        """Return what happened to a step, a pipeline or a deployment, also when it is gone; the newest first.

        What was refused about it is among the entries. Raises StepNotFound and so on for what never was.
        """
        asked = trail.history_of(kind, name, limit, oldest_first=oldest_first)
        return self._run(flows.all_of(self._session, asked, limit))

    def list_commands(
        self,
        limit: int | None = 100,
        status: trail.Outcome | None = None,
        command_type: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[documents.CommandSummary]:
        """Return the commands that were decided, the newest first; the refused ones with their `refusal`.

        `since` and `until` bound when they were decided. Without a limit all of them are read into memory.
        """
        asked = trail.commands(limit, status, command_type, actor, since, until)
        return self._run(flows.all_of(self._session, asked, limit))

    def list_dead_letters(
        self, limit: int | None = 100, status: trail.LetterStatus | None = None
    ) -> list[documents.DeadLetterSummary]:
        """Return the records addressed to the environment that were no commands, the newest first."""
        return self._run(flows.all_of(self._session, trail.dead_letters(limit, status), limit))

    def get_dead_letter(self, dead_letter_id: str) -> documents.DeadLetter | None:
        """Return a dead letter with the bytes of its record, or None when there is none of that id."""
        return self._find(trail.dead_letter(dead_letter_id))

    def replay_dead_letter(
        self,
        dead_letter_id: str,
        data: Mapping[str, Any] | None = None,
        command_type: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> documents.Command:
        """Send a dead letter again as a new command of yours: as it is, or with its `data` or its type mended.

        Raises what the command raises, and the letter stays open; DeadLetterReplayed when it took effect before, and
        DeadLetterUndecided while a replay that asks for something else has no result.
        """
        return self.send(writes.replay_dead_letter(dead_letter_id, data, command_type, idempotency_key=idempotency_key))

    def discard_dead_letter(self, dead_letter_id: str) -> documents.DeadLetterSummary:
        """Discard a dead letter: it is kept, and no longer open. Raises DeadLetterNotFound."""
        return self.send(trail.discarded(dead_letter_id))

    def activity(self, minutes: int = 60) -> documents.Activity:
        """Return how long commands took, which were refused or are overdue, and how far behind each part is."""
        return self.send(requests.activity(minutes))

    def watch(
        self,
        types: Iterable[str] = (),
        subject: str | None = None,
        since: Since = "now",
        *,
        pipeline: str | None = None,
    ) -> Watch:
        """Follow the events of the environment: of these `types` (all by default), about subjects that begin so.

        `pipeline` is the exact name of the one that they are about.
        Begins `since` now, the beginning, or behind the event of that sequence. Each event comes once, in order, also
        over connections that break: it connects again for as long as it takes. Close it, or use it in a `with` block,
        which begins to follow before the block does anything.
        """
        subscription = Subscription(self._session, types, subject, since, pipeline)
        return Watch(subscription, partial(self._run, is_stream=True))

    def _find(self, request: Request[T]) -> T | None:
        flow = flows.find(self._session, request)
        return self._run(flow)

    def _pages(self, request: Request[list[T]], size: int) -> Iterator[T]:
        page: Request[list[T]] | None = requests.first_page_of(request, size)
        while page:
            rows, page = self._run(flows.page(self._session, page))
            yield from rows

    def _run(self, flow: Flow[T], *, is_stream: bool = False) -> T:
        try:
            attempt = next(flow)
            while True:
                attempt = flow.send(self._reply_to(attempt, is_stream))
        except StopIteration as end:
            value: T = end.value
            return value

    def _reply_to(self, attempt: Attempt, is_stream: bool) -> Reply:
        if attempt.after_s:
            time.sleep(attempt.after_s)
        try:
            response = self._http.send(self._http.build_request(**attempt.complete()), stream=is_stream)
            if is_stream and not flows.is_stream(response):
                response.read()
        except httpx.RequestError as error:
            return error
        return response
