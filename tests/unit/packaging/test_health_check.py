"""The health check that compose runs, run against a real health page."""

import asyncio
import sys
from typing import Any

import pytest

from pipeloom.local.ports import HOST, pick_port
from services.kit.health import Health, health_app
from services.kit.process import serving

DEADLINE_S = 30.0


@pytest.fixture
def check(compose: dict[str, Any]) -> list[str]:
    """The command of the check."""
    command: list[str] = compose["services"]["composer"]["healthcheck"]["test"][1:]
    return command


async def _exit_code(check: list[str], port: int) -> int:
    interpreter, *arguments = [argument.replace(":8081/", f":{port}/") for argument in check]
    assert interpreter == "python"
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(DEADLINE_S):
        return await process.wait()


async def test_the_health_check_follows_the_health_page(check: list[str]) -> None:
    health, port = Health(), pick_port()
    health.expect("kafka")
    async with serving(health_app(health), HOST, port):
        assert await _exit_code(check, port) != 0
        health.well("kafka")
        assert await _exit_code(check, port) == 0
        health.ill("kafka", "gone")
        assert await _exit_code(check, port) != 0


async def test_the_health_check_fails_when_nothing_answers(check: list[str]) -> None:
    assert await _exit_code(check, pick_port()) != 0


def test_the_health_page_is_on_the_port_that_the_check_asks(compose: dict[str, Any], check: list[str]) -> None:
    assert ":8081/readyz" in check[-1]
    assert compose["services"]["composer"]["environment"]["PIPELOOM_HEALTH__PORT"] == "8081"
