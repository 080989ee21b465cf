"""Histories made without Kafka: commands decided and saved as the composer does it, a batch at a time."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID, uuid4

from events.commands import (
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
)
from events.envelope import Command
from events.topics import COMMANDS_TOPIC
from services.composer.compose import Taken, compose, needs_of
from services.composer.intake import Received
from services.composer.store import claim_partition, load_state, rows_of, save_rows
from services.kit.postgres import connect
from services.kit.settings import Settings
from tests.support.installation import command, new_member

BATCH = 500
TOPIC_ID = UUID(int=1)
SEALED = "sealed:v1:0123abcd:AAAAAAAAAAAAAAAAAAAAAAAAAAAA"


async def new_history(settings: Settings, commands: int, environment: str | None = None, partition: int = 0) -> str:
    """Have `commands` commands decided in an environment, made when none is given; return the environment."""
    environment = environment or (await new_member(settings.postgres)).environment
    await have_decided(settings, islice(any_commands(environment), commands), partition)
    return environment


async def have_decided(settings: Settings, commands: Iterable[Command], partition: int = 0) -> None:
    """Have commands decided at the next offsets of a partition."""
    topic = COMMANDS_TOPIC.name(settings.kafka.topic_prefix)
    asked = iter(commands)
    connection = await connect(settings.postgres)
    try:
        claim = (await claim_partition(connection, topic, partition, TOPIC_ID, 0, "tests")).claim
        offset = claim.next_offset
        while batch := [taken_of(each, partition, offset + place) for place, each in enumerate(islice(asked, BATCH))]:
            outcome = compose(batch, await load_state(connection, needs_of(batch)))
            offset += outcome.records
            assert outcome.records == len(batch)
            assert await save_rows(connection, topic, {claim: offset}, rows_of(outcome))
            claim = type(claim)(partition, claim.epoch, offset)
    finally:
        await connection.close()


def taken_of(asked: Command, partition: int, offset: int) -> Taken:
    """Return a command as the composer takes it in at a place of the log."""
    record = Received(partition, offset, asked.environment.encode(), b"", [], datetime.now(UTC))
    return record, asked


def any_commands(environment: str) -> Iterator[Command]:
    """Yield commands that make, change, refuse and delete resources of every kind, for ever."""
    run = uuid4().hex[:6]
    turn = 0
    while True:
        step = command(environment, StepRequested(step_name=f"s-{run}-{turn}", function_path="a.py", function_name="f"))
        yield step
        for data in _life(f"{run}-{turn}", str(step.id), turn):
            yield command(environment, data)
        turn += 1


def _life(name: str, requested_by: str, turn: int) -> Iterator[CommandData]:
    yield StepBuildReported(step_name=f"s-{name}", requested_by=requested_by, outcome="ready")
    yield EnvironmentVariablesRequested.model_validate(
        {"environment_variables": [{"name": f"V{turn % 50}", "sealed_value": SEALED}]}
    )
    yield PipelineRequested(pipeline_name=f"p-{name}", step_names=[f"s-{name}"])
    yield PipelineRequested(pipeline_name=f"p-{name}", step_names=[f"s-{name}"])
    yield DeploymentRequested(name=f"d-{name}", pipeline_name=f"p-{name}", execution_rule="endpoint", mode="elastic")
    if turn % 4 == 1:
        yield DeploymentDeleteRequested(name=f"d-{name}")
        yield EnvironmentVariableDeleteRequested(name=f"V{turn % 50}")
    if turn % 4 == 2:
        yield PipelineDeleteRequested(pipeline_name=f"p-{name}", force_deployments_deletion=True)
    if turn % 4 == 3:
        yield StepDeleteRequested(step_name=f"s-{name}", force_dependents_deletion=True)
