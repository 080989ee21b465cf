"""An environment of a test's own, at both doors: over HTTP with a token, and straight to Kafka."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.structs import RecordMetadata

from events.codec import Headers, encode_command
from events.commands import CommandData, PipelineDeleteRequested
from tests.acceptance.feed import Feed, is_command, is_result_of
from tests.acceptance.sources import FUNCTION_PATH
from tests.acceptance.stack import Stack
from tests.support.installation import Log, Member, command, new_member, unique
from tests.support.openapi import contract

ANSWER_S = 40.0
# Nothing here speaks TLS, and to load the certificates of the world takes longer than most of the tests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
API = "/api/v1"
INPUTS: list[dict[str, Any]] = [
    {"name": "months", "data_type": "number", "description": "As a customer", "is_required": True},
    {"name": "plan", "data_type": "string", "default_value": "basic"},
]
OUTPUTS: list[dict[str, Any]] = [{"name": "risk", "data_type": "number", "description": "From 0 to 1"}]
# A periodic deployment maps every input and output.
ALL_MAPPED: dict[str, Any] = {
    "inputs_mapping": [
        {"pipeline_input_name": "months", "constant_value": 3},
        {"pipeline_input_name": "plan", "is_null": True},
    ],
    "outputs_mapping": [{"pipeline_output_name": "risk", "is_null": True}],
}


@dataclass(frozen=True)
class Kafka:
    """Plain clients of the product's two topics."""

    log: Log
    commands: Feed
    events: Feed

    @asynccontextmanager
    async def compressing_producer(self, codec: str) -> AsyncIterator[AIOKafkaProducer]:
        """Give a producer that compresses, for the length of the block."""
        servers = self.log.kafka.bootstrap_servers
        async with AIOKafkaProducer(bootstrap_servers=servers, compression_type=codec) as producer:
            yield producer


@dataclass(frozen=True)
class Tenant:
    """A user of an environment, who can send commands by either door and sees what comes of them."""

    member: Member
    http: httpx.AsyncClient
    kafka: Kafka
    repository: Path

    @property
    def environment(self) -> str:
        return self.member.environment

    def step_body(self, name: str, **changes: Any) -> dict[str, Any]:
        """Return the body that asks for a step whose code is there."""
        body = {
            "step_name": name,
            "function_path": FUNCTION_PATH,
            "function_name": "predict",
            "inputs": INPUTS,
            "outputs": OUTPUTS,
            "container_config": {"repository_url": str(self.repository)},
        }
        return body | changes

    async def create_step(self, name: str, **changes: Any) -> str:
        """Create a step; return its status once a builder has been at it."""
        asked = await self.http.post("/steps", json=self.step_body(name, **changes))
        assert asked.status_code == 206, asked.text
        built = await self.http.get(f"/steps/{name}", params={"wait_for_completion": True})
        return str(built.json()["creation_info"]["status"])

    async def create_pipeline(self, name: str, step: str, **headers: str) -> httpx.Response:
        body = {"pipeline_name": name, "step_names": [step]}
        return await self.http.post("/pipelines", json=body, headers=headers)

    async def create_endpoint(self, name: str, pipeline: str) -> httpx.Response:
        return await self.http.post("/endpoints", json={"name": name, "pipeline_name": pipeline})

    async def schedule(self, name: str, pipeline: str, schedule: str) -> httpx.Response:
        body = {"name": name, "pipeline_name": pipeline, "schedule": schedule, **ALL_MAPPED}
        return await self.http.post("/periodic-deployment", json=body)

    async def names(self, collection: str, key: str) -> list[str]:
        """Return the names in a list, for example of `/pipelines`."""
        answer = await self.http.get(collection)
        assert answer.status_code == 200, answer.text
        return [entry[key] for entry in answer.json()]

    async def ask(self, *data: CommandData, **given: object) -> list[UUID]:
        """Send commands straight to Kafka, one right behind the other; return their ids."""
        commands = [command(self.environment, each, **given) for each in data]
        records = [encode_command(each) for each in commands]
        await asyncio.gather(*(self.put(record.value, record.headers) for record in records))
        return [each.id for each in commands]

    async def put(
        self,
        value: bytes | None,
        headers: Headers,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> RecordMetadata:
        """Put any record on the commands topic, in the environment's own place unless told otherwise."""
        return await self.kafka.log.producer.send_and_wait(
            self.kafka.log.commands_topic,
            value,
            key=self.environment.encode() if key is None else key,
            headers=list(headers),
            partition=partition,
            timestamp_ms=timestamp_ms,
        )

    async def result(self, command_id: UUID) -> ConsumerRecord:
        """Return the result of a command as a consumer reads it."""
        return (await self.kafka.events.until(self.environment, is_result_of(command_id)))[-1]

    async def history(self) -> list[ConsumerRecord]:
        """Return all events of the environment up to now: those before the refusal of one more command."""
        (last,) = await self.ask(PipelineDeleteRequested(pipeline_name=unique("nothing")))
        return (await self.kafka.events.until(self.environment, is_result_of(last)))[:-1]

    async def sent(self) -> list[ConsumerRecord]:
        """Return all commands of the environment up to now: those before one more."""
        (last,) = await self.ask(PipelineDeleteRequested(pipeline_name=unique("nothing")))
        return (await self.kafka.commands.until(self.environment, is_command(last)))[:-1]


async def hold_to_contract(response: httpx.Response) -> None:
    """Demand of an answer that the OpenAPI document tells of it."""
    if not response.headers.get("content-type", "").startswith("text/event-stream"):  # which has no end
        await response.aread()
    assert contract().breaches(response) == [], f"{response.request.method} {response.request.url.path}"


NewTenant = Callable[..., Awaitable[Tenant]]


@asynccontextmanager
async def open_tenant(
    stack: Stack, kafka: Kafka, repository: Path, environment: str | None = None
) -> AsyncIterator[Tenant]:
    """Give a user of a new environment (or of the one that is named), for the length of the block."""
    member = await new_member(stack.postgres, environment)
    hooks = {"response": [hold_to_contract]}
    async with httpx.AsyncClient(base_url=stack.url + API, timeout=ANSWER_S, verify=NO_TLS, event_hooks=hooks) as http:
        refreshed = await http.post("/auth/refresh", json={"refresh_token": member.sdk_token})
        http.headers["Authorization"] = f"Bearer {refreshed.json()['access_token']}"
        yield Tenant(member, http, kafka, repository)
