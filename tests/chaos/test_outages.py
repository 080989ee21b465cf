"""Kafka or Postgres away: bounded answers that do not lie, and recovery by itself."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.chaos.stack import Stack, hung, make_ready, running_stack, signed_in
from tests.support.installation import unique
from tests.support.services import eventually

BOUND_S = 12.0


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    data_dir = tmp_path_factory.mktemp("outages") / "data"
    async with running_stack(data_dir, PIPELOOM_HTTP__RESULT_TIMEOUT_S="3") as running:
        async with signed_in(running) as client:
            await make_ready(client, data_dir / "source")
        yield running


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(stack) as found:
        yield found


async def create(client: httpx.AsyncClient, name: str, **headers: str) -> httpx.Response:
    return await client.post(
        "/api/v1/pipelines", json={"pipeline_name": name, "step_names": ["s"]}, headers=dict(headers)
    )


async def says_that_kafka_is_away(client: httpx.AsyncClient) -> bool:
    health = await client.get("/readyz")
    return health.status_code == 503 and health.json()["parts"]["kafka"] != "ok"


async def test_without_kafka_a_command_is_refused_in_time_with_its_id_and_can_be_repeated(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    # Given
    name, key = unique("p"), {"Idempotency-Key": unique("key")}
    async with hung(stack, "kafka.Kafka"):
        # When
        asked = time.monotonic()
        refused = await create(client, name, **key)
        took_s = time.monotonic() - asked
        readable = await client.get("/api/v1/pipelines")
        await eventually(lambda: says_that_kafka_is_away(client))
    # Then
    assert (refused.status_code, refused.json()["name"]) == (503, "kafka_unavailable")
    assert took_s < BOUND_S
    assert int(refused.headers["Retry-After"]) > 0
    assert readable.status_code == 200
    command_id = refused.json()["additional_data"]["command_id"]
    repeated = await create(client, name, **key)
    assert (repeated.status_code, repeated.headers["Pipeloom-Command-Id"]) == (201, command_id)
    told = await client.get(refused.headers["Location"])
    assert told.json()["status"] == "succeeded"


async def test_without_postgres_reads_say_so_and_acknowledged_commands_are_composed_later(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    # Given
    name = unique("p")
    async with hung(stack, "bin/postgres"):
        # When
        accepted = await create(client, name, Prefer="respond-async")
        read = await client.get("/api/v1/pipelines")
    # Then
    assert accepted.status_code == 202
    assert (read.status_code, read.json()["name"]) == (503, "postgres_unavailable")
    assert int(read.headers["Retry-After"]) > 0

    async def is_composed() -> bool:
        told = await client.get(accepted.headers["Location"])
        return told.status_code == 200 and told.json()["status"] == "succeeded"

    await eventually(is_composed)
    assert (await client.get(f"/api/v1/pipelines/{name}")).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}], ids=["no key", "a key"])
async def test_a_hung_postgres_makes_nobody_wait_longer_than_asked(
    stack: Stack, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    # Given
    keyed = {name: unique(value) for name, value in headers.items()}
    async with hung(stack, "bin/postgres"):
        # When
        began = time.monotonic()
        accepted = await create(client, unique("p"), Prefer="wait=1", **keyed)
        accepted_s = time.monotonic() - began
        asked = await client.get(accepted.headers["Location"], params={"wait": 1})
        asked_s = time.monotonic() - began - accepted_s
        unknown = await create(client, unique("p"), **keyed)
        unknown_s = time.monotonic() - began - accepted_s - asked_s
    # Then
    assert (accepted.status_code, asked.status_code, unknown.status_code) == (202, 503, 504)
    assert max(accepted_s, asked_s) < 3
    assert unknown_s < 4


async def test_without_a_composer_the_outcome_is_unknown_and_never_called_failed(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    # Given
    name = unique("p")
    async with hung(stack, "services.composer"):
        # When
        unknown = await create(client, name)
    # Then
    assert (unknown.status_code, unknown.json()["name"]) == (504, "outcome_unknown")
    told = await client.get(unknown.headers["Location"], params={"wait": 30})
    assert told.json()["status"] == "succeeded"
