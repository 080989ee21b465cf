"""A query service and a composer on an installation, and readers of the live feed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from events.commands import PipelineRequested, StepBuildReported, StepRequested
from pipeloom.client import AsyncClient
from pipeloom.client.sse import Message, Parser
from pipeloom.local.ports import pick_port
from services.composer.service import run_composer
from services.kit.health import Health
from services.kit.settings import Settings
from services.query.service import run_query
from tests.support.installation import Log, Member, command, new_member
from tests.support.services import running_service

WAIT_S = 20.0


@dataclass
class Reader:
    """One connection to the feed, read message by message."""

    response: httpx.Response
    parser: Parser
    messages: AsyncIterator[Message]

    async def next(self) -> Message:
        """Return the next message. Raises StopAsyncIteration when the stream has ended."""
        async with asyncio.timeout(WAIT_S):
            return await anext(self.messages)


@dataclass
class Feed:
    """Where the query service is, or will be, and who may ask it."""

    settings: Settings
    log: Log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.http.port}"

    def query(self) -> AbstractAsyncContextManager[Health]:
        """Run the query service for the length of a block."""
        return running_service(run_query, self.settings)

    def composer(self) -> AbstractAsyncContextManager[Health]:
        """Run a composer for the length of a block."""
        return running_service(run_composer, self.settings)

    def client(self, member: Member) -> AsyncClient:
        return AsyncClient(self.url, member.sdk_token)

    async def member(self, environment: str | None = None) -> Member:
        return await new_member(self.settings.postgres, environment)

    async def ask(self, environment: str, first: int, last: int) -> None:
        """Send commands that are each refused, which is an event like any other."""
        asked = [PipelineRequested(pipeline_name=f"p{number}", step_names=["s"]) for number in range(first, last)]
        await self.log.ask(*(command(environment, each) for each in asked))

    async def ready_step(self, environment: str, name: str) -> None:
        """Send what makes a step that is Ready."""
        step = command(environment, StepRequested(step_name=name, function_path="a.py", function_name="f"))
        report = StepBuildReported(step_name=name, requested_by=str(step.id), outcome="ready")
        await self.log.ask(step, command(environment, report))

    @asynccontextmanager
    async def reading(
        self, member: Member, params: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> AsyncIterator[Reader]:
        async with httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=WAIT_S) as http:
            answer = await http.post("/auth/refresh", json={"refresh_token": member.sdk_token})
            bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            request = http.build_request("GET", "/events", params=params, headers={**bearer, **(headers or {})})
            response = await http.send(request, stream=True)
            parser = Parser()
            try:
                yield Reader(response, parser, _messages(response, parser))
            finally:
                await response.aclose()


async def _messages(response: httpx.Response, parser: Parser) -> AsyncIterator[Message]:
    async for chunk in response.aiter_bytes():
        for message in parser.feed(chunk):
            yield message


@pytest.fixture
async def feed(installation: Settings, log: Log) -> Feed:
    installation.http.port = pick_port()
    return Feed(installation, log)
