"""Following what happens in an environment, over HTTP."""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import pytest

from pipeloom.cli.exits import ExitCode
from pipeloom.client import AsyncClient, Client, Event
from tests.acceptance.doors import in_thread
from tests.acceptance.feed import text
from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import NewTenant, Tenant

PATIENCE_S = 30.0


async def followed(client: Client | AsyncClient, number: int, **options: Any) -> list[Event]:
    """Return the first events that a client is told."""
    watch: Any = client.watch(**options)
    if isinstance(client, AsyncClient):
        async with watch:
            return [await asyncio.wait_for(anext(watch), PATIENCE_S) for _ in range(number)]
    with watch:
        return [await in_thread(next, watch) for _ in range(number)]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_client_is_told_the_whole_history_in_its_order(
    stack: Stack, tenant: Tenant, pipeline: str, kind: type[Client | AsyncClient]
) -> None:
    events = await followed(kind(stack.url, tenant.member.sdk_token), 3, since="beginning")

    assert [(event.sequence, event.type, event.subject) for event in events] == [
        (1, "StepCreated", "steps/train"),
        (2, "StepReady", "steps/train"),
        (3, "PipelineCreated", f"pipelines/{pipeline}"),
    ]
    assert {event.environment for event in events} == {tenant.environment}
    assert events[-1].data["pipeline"]["pipeline_name"] == pipeline


async def test_what_happens_is_told_as_it_is_told_on_kafka(stack: Stack, tenant: Tenant, step: str) -> None:
    async with (
        AsyncClient(stack.url, tenant.member.sdk_token) as client,
        client.watch(types="PipelineCreated", subject="pipelines/ch") as watch,
    ):
        await tenant.create_pipeline("other", step)
        answer = await tenant.create_pipeline("churn", step)
        event = await asyncio.wait_for(anext(watch), PATIENCE_S)

    assert answer.status_code == 201
    records = await tenant.kafka.events.until(
        tenant.environment, lambda record: text(record, "ce_commandid") == event.command_id
    )
    assert (event.id, str(event.sequence), event.subject, event.time) == tuple(
        text(records[-1], f"ce_{name}") for name in ("id", "sequence", "subject", "time")
    )
    assert event.data == json.loads(records[-1].value)


async def test_another_environments_events_are_not_told(stack: Stack, new_tenant: NewTenant) -> None:
    mine, theirs = await new_tenant(), await new_tenant()
    await theirs.create_pipeline("theirs", "none")
    async with AsyncClient(stack.url, mine.member.sdk_token) as client, client.watch(since="beginning") as watch:
        await theirs.create_pipeline("theirs", "none")
        await mine.create_pipeline("mine", "none")
        event = await asyncio.wait_for(anext(watch), PATIENCE_S)

    assert (event.sequence, event.subject, event.type) == (1, "pipelines/mine", "CommandRejected")


async def test_a_place_of_another_environment_is_refused(tenant: Tenant) -> None:
    answer = await tenant.http.get("/events", headers={"Last-Event-ID": "7"})

    problem(answer, 400, "invalid_header")


async def test_the_command_line_follows_until_ctrl_c(stack: Stack, tenant: Tenant, pipeline: str) -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeloom", "events", "--since", "beginning", "--subject", "pipelines/", "-o", "json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PIPELOOM_URL": stack.url, "PIPELOOM_SDK_TOKEN": tenant.member.sdk_token},
    )
    assert program.stdout
    try:
        line = await asyncio.wait_for(program.stdout.readline(), PATIENCE_S)
        program.send_signal(signal.SIGINT)
        _, complaint = await asyncio.wait_for(program.communicate(), PATIENCE_S)
    finally:
        if program.returncode is None:
            program.kill()

    assert (json.loads(line)["type"], json.loads(line)["subject"]) == ("PipelineCreated", f"pipelines/{pipeline}")
    assert (program.returncode, b"Traceback" in complaint) == (ExitCode.INTERRUPTED, False)
