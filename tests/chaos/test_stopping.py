"""A gateway that is told to stop: who still waits is answered, and not with an error of the server's."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
import psutil

from tests.chaos.stack import hung, running_stack, signed_in
from tests.support.installation import Log, open_log, unique
from tests.support.services import eventually


async def commands_asked(log: Log, enough: int) -> bool:
    return await log.asked() >= enough


async def test_who_waits_when_the_gateway_is_stopped_is_told_that_the_outcome_is_unknown(tmp_path: Path) -> None:
    async with running_stack(tmp_path / "data") as stack, signed_in(stack) as client, open_log(stack.kafka) as log:
        # Given
        gateway = psutil.Process(stack.pid_of("services.gateway"))

        async def create(**headers: str) -> httpx.Response:
            body = {"pipeline_name": unique("p"), "step_names": ["s"]}
            return await client.post("/api/v1/pipelines", json=body, headers=headers)

        async with hung(stack, "services.composer"):
            waiting = [asyncio.create_task(create(**headers)) for headers in ({}, {"Prefer": "wait=30"})]
            await eventually(lambda: commands_asked(log, 2))
            # When
            began = time.monotonic()
            os.kill(gateway.pid, signal.SIGTERM)
            unknown, accepted = await asyncio.wait_for(asyncio.gather(*waiting), 15)
            took_s = time.monotonic() - began
        # Then
        assert (unknown.status_code, unknown.json()["name"]) == (504, "outcome_unknown")
        assert unknown.json()["additional_data"]["command_id"] == unknown.headers["Pipeloom-Command-Id"]
        assert (accepted.status_code, accepted.json()["status"]) == (202, "accepted")
        assert took_s < 8
        await eventually(lambda: not gateway.is_running())
