"""One environment that has its share of the command service, and another one."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from prometheus_client import REGISTRY

from pipeloom.local.ports import pick_port
from services.composer.service import run_composer
from services.gateway.__main__ import run_gateway
from services.kit.settings import Settings
from tests.support.installation import Member, new_member, unique
from tests.support.services import eventually, running_service

WAIT_S = 30.0
ASYNC = {"Prefer": "respond-async"}


@asynccontextmanager
async def asking(settings: Settings, member: Member) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{settings.http.port}/api/v1"
    async with httpx.AsyncClient(base_url=url, timeout=WAIT_S, trust_env=False) as http:
        answer = await http.post("/auth/refresh", json={"refresh_token": member.sdk_token})
        http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield http


async def create(http: httpx.AsyncClient, headers: Mapping[str, str] | None = None) -> httpx.Response:
    fields = {"step_name": unique("step"), "function_path": "a.py", "function_name": "f"}
    return await http.post("/steps", json=fields, headers=headers)


def waiting() -> float:
    return REGISTRY.get_sample_value("pipeloom_commands_waiting") or 0.0


async def test_an_environment_at_its_share_is_refused_while_another_is_served(installation: Settings) -> None:
    # Given two commands of one environment that have no results yet, which is all that it may have under way
    http = installation.http
    http.port, http.max_in_flight, http.max_in_flight_per_environment = pick_port(), 3, 2
    noisy, quiet = [await new_member(installation.postgres) for _ in range(2)]
    async with (
        running_service(run_gateway, installation),
        asking(installation, noisy) as flooding,
        asking(installation, quiet) as asked,
    ):
        before = waiting()
        held = [asyncio.ensure_future(create(flooding)) for _ in range(2)]
        await eventually(lambda: waiting() == before + 2)
        # When
        refused, served = await create(flooding), await create(asked, ASYNC)
        # Then
        assert (refused.status_code, refused.json()["name"]) == (429, "environment_overloaded")
        assert (int(refused.headers["retry-after"]) > 0, refused.json()["additional_data"]) == (True, {"limit": 2})
        assert served.status_code == 202
        # When all places are taken
        held.append(asyncio.ensure_future(create(asked)))
        await eventually(lambda: waiting() == before + 3)
        full = await create(asked)
        # Then
        assert (full.status_code, full.json()["name"], "retry-after" in full.headers) == (503, "overloaded", True)
        # When the results come, nobody is refused any more, and what was held up is answered
        async with running_service(run_composer, installation):
            answers = [each.status_code for each in await asyncio.gather(*held)]
            assert [*answers, (await create(flooding)).status_code] == [206, 206, 206, 206]


async def test_those_who_wait_for_a_turn_have_one_although_no_result_comes(installation: Settings) -> None:
    installation.http.port, installation.http.turns_per_environment = pick_port(), 1
    installation.http.turns_alone = 1
    member = await new_member(installation.postgres)
    async with running_service(run_gateway, installation), asking(installation, member) as http:
        held = [asyncio.ensure_future(create(http)) for _ in range(3)]
        async with running_service(run_composer, installation):
            assert [each.status_code for each in await asyncio.gather(*held)] == [206, 206, 206]


async def test_an_environment_that_has_its_share_of_streams_is_refused_and_another_is_not(
    installation: Settings,
) -> None:
    installation.http.port, installation.http.max_streams_per_environment = pick_port(), 1
    noisy, quiet = [await new_member(installation.postgres) for _ in range(2)]
    async with (
        running_service(run_gateway, installation),
        asking(installation, noisy) as listening,
        asking(installation, quiet) as other,
        listening.stream("GET", "/events") as first,
        listening.stream("GET", "/events") as second,
        other.stream("GET", "/events") as third,
    ):
        refusal = json.loads(await second.aread())["name"]
        assert (first.status_code, second.status_code, third.status_code) == (200, 429, 200)
        assert refusal == "environment_overloaded"
