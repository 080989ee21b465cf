"""The gateway and a composer on an installation, and what happened there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from events.commands import CommandData, StepBuildReported, StepRequested
from events.envelope import Command
from pipeloom.local.ports import pick_port
from services.composer.service import run_composer
from services.gateway.__main__ import run_gateway
from services.kit.settings import Settings
from tests.integration.composer.test_composer import result_of
from tests.support.installation import Log, Member, command, new_member
from tests.support.services import running_service

WAIT_S = 20.0


@dataclass
class Tenant:
    """A user of an environment, over HTTP and straight to Kafka."""

    settings: Settings
    log: Log
    member: Member
    http: httpx.AsyncClient

    @property
    def environment(self) -> str:
        return self.member.environment

    async def ask(self, *data: CommandData, **given: object) -> list[Command]:
        """Send commands straight to Kafka; return them once all are decided."""
        asked = [command(self.environment, each, **given) for each in data]
        await self.log.ask(*asked)
        await result_of(self.settings, asked[-1])
        return asked

    async def ready_step(self, name: str = "s") -> None:
        (step,) = await self.ask(StepRequested(step_name=name, function_path="a.py", function_name="f"))
        await self.ask(StepBuildReported(step_name=name, requested_by=str(step.id), outcome="ready"))

    async def pages(self, path: str, **params: Any) -> list[list[Any]]:
        """Return all pages of a list, following the links."""
        response = await self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        found = [response.json()]
        while "next" in response.links:
            response = await self.http.get(response.links["next"]["url"].removeprefix("/api/v1"))
            assert response.status_code == 200, response.text
            found.append(response.json())
        return found


@dataclass
class Stand:
    """A running gateway and composer, which tenants may come to."""

    settings: Settings
    log: Log
    opened: AsyncExitStack

    async def tenant(self) -> Tenant:
        member = await new_member(self.settings.postgres)
        url = f"http://127.0.0.1:{self.settings.http.port}/api/v1"
        http = await self.opened.enter_async_context(httpx.AsyncClient(base_url=url, timeout=WAIT_S))
        answer = await http.post("/auth/refresh", json={"refresh_token": member.sdk_token})
        http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return Tenant(self.settings, self.log, member, http)


@pytest.fixture
async def stand(installation: Settings, log: Log) -> AsyncIterator[Stand]:
    installation.http.port = pick_port()
    async with (
        running_service(run_composer, installation),
        running_service(run_gateway, installation),
        AsyncExitStack() as opened,
    ):
        yield Stand(installation, log, opened)


@pytest.fixture
async def tenant(stand: Stand) -> Tenant:
    return await stand.tenant()
