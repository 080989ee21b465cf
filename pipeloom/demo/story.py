"""The story: each act is a call, what it must answer, and what a consumer must then read from Kafka."""

import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from events.envelope import Event
from events.refusals import Code
from pipeloom.client import AsyncClient, Refused
from pipeloom.demo import source
from pipeloom.demo.feed import Feed
from pipeloom.demo.narrator import Narrator, StoryFailedError

EVENTS_WITHIN_S = 10.0
PIPELINE_KEYS = ("pipeline_name", "created_at", "created_by", "last_execution_id", "steps", "inputs", "outputs")


class Story:
    """The main job, from a step to a deleted pipeline, on names that nobody else has."""

    def __init__(self, client: AsyncClient, feed: Feed, narrator: Narrator, folder: Path, mark: str) -> None:
        self._client = client
        self._feed = feed
        self._tell = narrator
        self._folder = folder.absolute()
        self._step = f"predict-{mark}"
        self._pipeline = f"churn-{mark}"
        self._deployment = f"churn-live-{mark}"

    async def tell(self) -> None:
        """Tell all acts. Raises StoryFailedError at the first thing that is not as it should be."""
        await self._a_step_becomes_ready()
        await self._a_pipeline_is_composed()
        await self._what_cannot_be_is_refused()
        await self._a_deployment_blocks_the_deletion()
        await self._the_forced_deletion_takes_it_along()
        await self._it_is_gone()
        await self._the_step_goes_too()
        self._what_the_consumer_read()

    async def _a_step_becomes_ready(self) -> None:
        self._tell.act("A step: a function in a git repository, with declared inputs and outputs")
        commit = source.make_repository(self._folder)
        self._tell.note(f"made a repository at {self._folder} with {source.FUNCTION_PATH}, commit {commit[:12]}")
        self._tell.call(f'create_step("{self._step}", "{source.FUNCTION_PATH}", "{source.FUNCTION_NAME}", …)')
        step = await self._client.create_step(
            self._step,
            source.FUNCTION_PATH,
            source.FUNCTION_NAME,
            container_config={"repository_url": str(self._folder), "repository_branch": source.BRANCH},
            inputs=source.INPUTS,
            outputs=source.OUTPUTS,
        )
        info = step["creation_info"]
        self._tell.expect("the builder has checked its code: the step is Ready", "Ready", info["status"])
        self._tell.expect("it is built from the commit that was made", commit, info["commit_id"])
        await self._consumer_reads("StepCreated", "StepReady", results=2)

    async def _a_pipeline_is_composed(self) -> None:
        self._tell.act("A pipeline on that step")
        self._tell.call(f'create_pipeline("{self._pipeline}", "{self._step}")')
        created = await self._client.create_pipeline(self._pipeline, self._step)
        self._tell.expect("it answers once everyone can read it", self._pipeline, created["pipeline_name"])
        self._tell.call(f'get_pipeline("{self._pipeline}")')
        found = await self._client.get_pipeline(self._pipeline)
        document: dict[str, Any] = {**found} if found else {}
        told = {key: document[key] for key in PIPELINE_KEYS if key in document}
        self._tell.document(told)
        self._tell.expect("the document has every key of the contract", PIPELINE_KEYS, tuple(told))
        self._tell.expect("it consists of the step", [self._step], document["steps"])
        self._tell.expect("its inputs are the step's", _names(source.INPUTS), _names(document["inputs"], "input_name"))
        self._tell.expect(
            "its outputs are the step's", _names(source.OUTPUTS), _names(document["outputs"], "output_name")
        )
        self._tell.call("list_pipelines()")
        listed = [each for each in await self._client.list_pipelines() if each["pipeline_name"] == self._pipeline]
        expected = {"pipeline_name": self._pipeline, "created_at": created["created_at"], "status": "Ready"}
        self._tell.expect("it is in the list, once", [expected], listed)
        await self._consumer_reads("PipelineCreated")

    async def _what_cannot_be_is_refused(self) -> None:
        self._tell.act("What cannot be is refused, with a code and a reason")
        self._tell.call(f'create_pipeline("{self._pipeline}", "{self._step}")')
        await self._refused(Code.PIPELINE_EXISTS, self._client.create_pipeline(self._pipeline, self._step))
        await self._consumer_reads("CommandRejected")
        other, missing = f"second-{self._pipeline}", f"missing-{self._step}"
        self._tell.call(f'create_pipeline("{other}", "{missing}")')
        await self._refused(Code.STEP_NOT_FOUND, self._client.create_pipeline(other, missing))
        await self._consumer_reads("CommandRejected")

    async def _a_deployment_blocks_the_deletion(self) -> None:
        self._tell.act("A pipeline that is deployed is not deleted by accident")
        self._tell.call(f'create_deployment("{self._pipeline}", "{self._deployment}", "endpoint")')
        deployment = await self._client.create_deployment(self._pipeline, self._deployment, "endpoint")
        self._tell.expect("the pipeline has an endpoint", self._deployment, deployment["name"])
        await self._consumer_reads("DeploymentCreated")
        self._tell.call(f'delete_pipeline("{self._pipeline}")')
        refusal = await self._refused(Code.PIPELINE_IN_USE, self._client.delete_pipeline(self._pipeline))
        self._tell.expect("it names the deployment", [self._deployment], refusal.details.get("deployments"))
        await self._consumer_reads("CommandRejected")

    async def _the_forced_deletion_takes_it_along(self) -> None:
        self._tell.act("Forced, the deletion takes the deployment along, in one transaction")
        self._tell.call(f'delete_pipeline("{self._pipeline}", force_deployments_deletion=True)')
        answer = await self._client.delete_pipeline(self._pipeline, force_deployments_deletion=True)
        self._tell.document(answer)
        expected = {
            "pipeline": {"name": self._pipeline},
            "deployments": [{"name": self._deployment, "execution_rule": "endpoint"}],
        }
        self._tell.expect("it answers exactly what was deleted", expected, answer)
        await self._consumer_reads("DeploymentDeleted", "PipelineDeleted")

    async def _it_is_gone(self) -> None:
        self._tell.act("What is deleted is gone for everyone")
        self._tell.call(f'get_pipeline("{self._pipeline}")')
        self._tell.expect("there is None", None, await self._client.get_pipeline(self._pipeline))
        self._tell.call("list_pipelines(), list_deployments()")
        pipelines = [pipeline["pipeline_name"] for pipeline in await self._client.list_pipelines()]
        self._tell.expect(f"it is not among the {len(pipelines)} pipelines", False, self._pipeline in pipelines)
        deployments = [deployment["name"] for deployment in await self._client.list_deployments()]
        self._tell.expect(
            f"nor its endpoint among the {len(deployments)} deployments", False, self._deployment in deployments
        )

    async def _the_step_goes_too(self) -> None:
        self._tell.act("No pipeline uses the step any more, so it can go too")
        self._tell.call(f'delete_step("{self._step}")')
        answer = await self._client.delete_step(self._step)
        self._tell.expect("it is deleted", self._step, answer["step_name"])
        await self._consumer_reads("StepDeleted")

    def _what_the_consumer_read(self) -> None:
        self._tell.act("All that a consumer of the events topic read meanwhile")
        for event in self._feed.story:
            self._tell.seen(_row(event))
        places = [event.sequence for event in self._feed.history]
        first = places[0] or 0
        self._tell.expect(
            "the environment's history has no gap, no double and no swap",
            list(range(first, first + len(places))),
            places,
        )
        results = [str(event.command_id) for event in self._feed.story if event.is_result]
        commands = {str(event.command_id) for event in self._feed.story}
        self._tell.expect(
            f"each of the {len(commands)} commands has exactly one result", sorted(commands), sorted(results)
        )

    async def _refused(self, code: Code, call: Awaitable[Any]) -> Refused:
        try:
            answer = await call
        except Refused as refusal:
            told = f"refused with {refusal.status} {refusal.code}: {refusal.message}"
            self._tell.expect(told, (code.http_status, code.value), (refusal.status, refusal.code))
            return refusal
        raise StoryFailedError("this must be refused", f"{code.http_status} {code.value}", answer)

    async def _consumer_reads(self, *types: str, results: int = 1) -> None:
        events = await self._feed.results(results, EVENTS_WITHIN_S)
        self._tell.expect(f"a consumer reads {' and '.join(types)}", list(types), [event.type for event in events])
        for event in events:
            self._tell.seen(_row(event))


def _names(items: list[dict[str, Any]], key: str = "name") -> list[str]:
    return [item[key] for item in items]


def _row(event: Event) -> str:
    mark = "result" if event.is_result else ""
    return f"#{event.sequence!s:<5} {event.type:<17}  {event.subject:<32}  {mark:<6}  {_gist(event)}".rstrip()


def _gist(event: Event) -> str:
    data = json.loads(event.data)
    if event.type in {"StepCreated", "StepReady", "StepFailed"}:
        return str(data["step"]["status"])
    return str(data.get("code", ""))
