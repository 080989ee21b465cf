"""The example consumers: each keeps a table of pipelines from the topic alone, and it is what the API lists."""

import os
from collections import Counter
from random import SystemRandom

import pytest

from events.commands import PipelineDeleteRequested
from tests.acceptance.feed import data_of, name_of, text
from tests.acceptance.mixed import mixed_commands
from tests.acceptance.shell import variables
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant
from tests.support.consumers import FOLDER, Consumers

COMMANDS = int(os.environ.get("PIPELOOM_TEST_CONSUMER_COMMANDS") or 300)
SEED = int(os.environ.get("PIPELOOM_TEST_CONSUMER_SEED") or SystemRandom().getrandbits(32))


@pytest.mark.parametrize("consumer", ["aiokafka", "faust", "kafkajs"])
@pytest.mark.timeout(120 + COMMANDS / 20)
async def test_the_table_of_a_consumer_equals_the_list_of_the_api_after_mixed_commands(
    stack: Stack, tenant: Tenant, consumers: Consumers, consumer: str
) -> None:
    print(f"{COMMANDS} commands of seed {SEED} for {consumer}")
    await tenant.kafka.log.ask(*mixed_commands(COMMANDS, SEED, tenant.environment, tenant.step_body("any")))
    (last,) = await tenant.ask(PipelineDeleteRequested(pipeline_name="none-of-them"))
    sequence = int(text(await tenant.result(last), "ce_sequence"))

    tables = await consumers.table(consumer, variables(stack), tenant.environment, sequence)

    listed = (await tenant.http.get("/pipelines")).json()
    assert tables[tenant.environment]["pipelines"] == listed
    assert tables[tenant.environment]["sequence"] >= sequence
    assert listed != []
    print(f"{len(listed)} pipelines listed after {dict(await kinds_of_events(tenant))}")


async def kinds_of_events(tenant: Tenant) -> Counter[str]:
    """Count the kinds of events; demand those that a table of pipelines can get wrong."""
    events = await tenant.history()
    kinds = Counter(map(name_of, events))
    assert {"PipelineCreated", "PipelineDeleted", "StepDeleted", "DeploymentCreated", "CommandRejected"} <= kinds.keys()
    assert any(data_of(event)["pipelines"] for event in events if name_of(event) == "StepDeleted")
    return kinds


def test_every_consumer_is_run() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.name != "__pycache__"} == {
        "pipeline_table.py",
        "table_with_aiokafka.py",
        "table_with_faust.py",
        "table_with_kafkajs",
    }
