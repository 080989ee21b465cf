"""The examples, each as its reader runs it: what it prints, what a consumer reads of it, and that nothing is left."""

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.acceptance.feed import name_of, text
from tests.acceptance.shell import variables
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import API, NO_TLS, Kafka

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUN_S = 90.0
ENVIRONMENT = "demo"
STEP = re.compile(r"(?:predict|sklearn)-(\w+)")


@dataclass(frozen=True)
class Example:
    """A program, lines that it must print, and the events that a consumer must read of it, in their order."""

    file: str
    prints: tuple[str, ...]
    events: tuple[str, ...]


FOUND = [
    Example(
        "compose_with_craft_ai_sdk.py",
        (
            "is Ready.",
            "takes months, plan.",
            "refused with 409 pipeline_exists.",
            "'deployments': []}",
            "get_pipeline gives None.",
        ),
        ("StepCreated", "StepReady", "PipelineCreated", "CommandRejected", "PipelineDeleted", "StepDeleted"),
    ),
    Example(
        "compose_with_pipeloom_client.py",
        (
            "the answer is the same: True.",
            "refused with pipeline_exists.",
            "refused with pipeline_in_use",
            "'execution_rule': 'endpoint'}]}",
        ),
        (
            *("StepCreated", "StepReady", "PipelineCreated", "CommandRejected", "DeploymentCreated", "CommandRejected"),
            *("DeploymentDeleted", "PipelineDeleted", "StepDeleted"),
        ),
    ),
    Example(
        "compose_with_curl.sh",
        ('"status":"Pending"', '"status":"Ready"', '"steps":["predict-', "pipeline_exists", '"deployments":[]}'),
        ("StepCreated", "StepReady", "PipelineCreated", "CommandRejected", "PipelineDeleted", "StepDeleted"),
    ),
    Example(
        "compose_with_kafka.py",
        ("pipeloom.StepReady.v1", "pipeloom.PipelineCreated.v1, with 2 inputs", "CommandRejected.v1, pipeline_exists"),
        ("StepCreated", "StepReady", "PipelineCreated", "CommandRejected", "PipelineDeleted", "StepDeleted"),
    ),
    Example(
        "scikit_learn_step.py",
        (
            "takes customers, left, customer, regularisation",
            "gives risk, accuracy.",
            "step_failed",
            "predict_chrun",
            "colour",
        ),
        (
            "StepCreated",
            "StepReady",
            "PipelineCreated",
            *("StepCreated", "StepFailed", "StepDeleted") * 2,
            "PipelineDeleted",
            "StepDeleted",
        ),
    ),
]


@pytest.mark.parametrize("example", FOUND, ids=lambda example: example.file)
async def test_an_example_does_what_it_says_and_leaves_nothing_behind(
    stack: Stack, kafka: Kafka, example: Example
) -> None:
    output = await run(stack, example.file)

    assert [line for line in example.prints if line not in output] == [], output
    step = STEP.search(output)
    assert step is not None, output
    assert await events_of(kafka, step=step[0], mark=step[1]) == list(example.events)
    assert await lists_with(stack, step[1]) == []
    assert list((stack.data_dir.parent / ".pipeloom" / "examples").iterdir()) == []


def test_every_example_is_run() -> None:
    programs = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".sh"}}

    assert programs == {example.file for example in FOUND} | {"step_repository.py"}


async def run(stack: Stack, file: str) -> str:
    """Run an example where `pipeloom up` was started, with its env file loaded; return what it prints."""
    if file.endswith(".sh") and shutil.which("curl") is None:
        pytest.skip("There is no curl on this machine.")
    program = "sh" if file.endswith(".sh") else sys.executable
    process = await asyncio.create_subprocess_exec(
        program, str(EXAMPLES / file), cwd=stack.data_dir.parent, env=variables(stack), stdout=PIPE, stderr=PIPE
    )
    try:
        output, complaints = await asyncio.wait_for(process.communicate(), RUN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return output.decode()


async def events_of(kafka: Kafka, step: str, mark: str) -> list[str]:
    """Return the types of the events about what bears the mark, up to the deletion of the step."""
    deletion = (f"steps/{step}", "StepDeleted")
    records = await kafka.events.until(
        ENVIRONMENT, lambda record: (text(record, "ce_subject"), name_of(record)) == deletion
    )
    return [name_of(record) for record in records if text(record, "ce_subject").endswith(f"-{mark}")]


async def lists_with(stack: Stack, mark: str) -> list[str]:
    """Return the lists that still have something that bears the mark."""
    sdk_token = variables(stack)["CRAFT_AI_SDK_TOKEN"]
    async with httpx.AsyncClient(base_url=stack.url + API, verify=NO_TLS) as http:
        refreshed = await http.post("/auth/refresh", json={"refresh_token": sdk_token})
        http.headers["Authorization"] = f"Bearer {refreshed.json()['access_token']}"
        lists = [(await http.get(address)).text for address in ("/steps", "/pipelines", "/deployments")]
    return [listed for listed in lists if f"-{mark}" in listed]
