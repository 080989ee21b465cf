"""Fills a database as the composer would have: real commands, the real rules, the rows copied in bounded pieces.

Only the road is shorter: no Kafka, and COPY in place of a save for each batch. The events stand at offsets below those
of any topic, where `pipeloom admin accept-commands-topic` puts what came from a former one: so the services go on from
there on new, empty topics.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import uuid_utils

from events.commands import CommandData, DeploymentRequested, PipelineRequested, StepBuildReported, StepRequested
from events.declarations import Inputs, Outputs
from events.envelope import Command, timestamp
from events.resources import InputSpec, OutputSpec
from services.composer.batch import BatchState, Outcome
from services.composer.compose import Taken, compose, needs_of
from services.composer.intake import Received
from services.composer.store import Rows, nothing_of, rows_of
from services.kit.partitions import partition_of
from services.kit.postgres import Connection

PIPELINES_OF_A_STEP = 100
PIPELINES_OF_A_DEPLOYMENT = 10
PIPELINES_OF_A_PIECE = 1_000
# What stands behind any offset that is used here, and before any offset of a topic.
FIRST_OFFSET = -(2**40)

INPUTS: Inputs = [
    InputSpec(name="months", data_type="number", description="As a customer", is_required=True),
    InputSpec(name="plan", data_type="string", default_value="basic"),
]
OUTPUTS: Outputs = [OutputSpec(name="risk", data_type="number", description="From 0 to 1")]
TOKEN_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

TABLES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "step": (
        "step",
        ("environments", "names", "statuses", "versions", "bodies", "documents", "summaries"),
        ("environment", "name", "status", "version", "body", "document", "summary"),
    ),
    "pipeline": (
        "pipeline",
        ("environments", "names", "steps", "versions", "bodies", "documents", "summaries"),
        ("environment", "name", "step_name", "version", "body", "document", "summary"),
    ),
    "deployment": (
        "deployment",
        ("environments", "names", "pipelines", "versions", "bodies", "documents", "summaries"),
        ("environment", "name", "pipeline_name", "version", "body", "document", "summary"),
    ),
    "inbox": (
        "inbox",
        ("environments", "ids", "fingerprints", "partitions", "offsets", "indexes"),
        ("environment", "command_id", "fingerprint", "partition", "log_offset", "log_index"),
    ),
    "event_log": (
        "event",
        (
            *("partitions", "offsets", "indexes", "environments", "sequences", "types", "versions", "subjects"),
            *("command_ids", "command_sources", "results", "actors", "times", "traceparents", "data"),
        ),
        (
            *("partition", "log_offset", "log_index", "environment", "sequence", "type", "version", "subject"),
            *("command_id", "command_source", "is_result", "actor", "time", "traceparent", "data"),
        ),
    ),
}

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Shape:
    """How many pipelines, in how many environments; `name` begins the id of each environment."""

    pipelines: int
    environments: int = 1
    partitions: int = 12
    name: str = "grown"

    @property
    def environment_ids(self) -> list[str]:
        return [f"{self.name}-{number:04}" for number in range(self.environments)]

    def pipelines_of(self, number: int) -> int:
        """Return how many pipelines the environment of that number has."""
        return self.pipelines // self.environments + (number < self.pipelines % self.environments)


def step_name(number: int) -> str:
    """Return the name of the step on which the pipeline of that number stands."""
    return f"step-{number // PIPELINES_OF_A_STEP:06}"


def pipeline_name(number: int) -> str:
    """Return the name of the pipeline of that number, counted in its environment from 0."""
    return f"pipeline-{number:07}"


async def seed(connection: Connection, shape: Shape, topic: str, topic_id: UUID, advance: Advance) -> int:
    """Fill an empty, migrated database, and have the composer go on at offset 0 of `topic`; return how many events.

    `advance` is told how many pipelines are in. What autovacuum would do in its time is done at the end.
    """
    await _control_data(connection, shape)
    next_offsets = dict.fromkeys(range(shape.partitions), FIRST_OFFSET)
    events = 0
    copying: asyncio.Task[None] | None = None
    try:
        for pipelines, piece in _pieces(shape, next_offsets):
            if copying is not None:
                await copying
            copying = asyncio.create_task(_copy(connection, piece))
            await asyncio.sleep(0)  # so that Postgres works on a piece while the next one is decided
            events += len(piece["event_offsets"])
            advance(pipelines)
        if copying is not None:
            await copying
    finally:
        if copying is not None:
            copying.cancel()
            await asyncio.wait([copying])
    await _settle(connection, shape, topic, topic_id)
    return events


def _pieces(shape: Shape, next_offsets: dict[int, int]) -> Iterator[tuple[int, Rows]]:
    """Yield the rows of one piece after the other, and how many pipelines are in each."""
    for number, environment in enumerate(shape.environment_ids):
        partition = partition_of(environment, shape.partitions)
        pipelines, sequence = shape.pipelines_of(number), 0
        for first in range(0, pipelines, PIPELINES_OF_A_PIECE):
            numbers = range(first, min(pipelines, first + PIPELINES_OF_A_PIECE))
            batch = list(_batch(environment, numbers, partition, next_offsets[partition]))
            next_offsets[partition] += len(batch)
            outcome = _decided(environment, batch, sequence)
            sequence = outcome.state.environments[environment].sequence
            yield len(numbers), rows_of(outcome)


def _decided(environment: str, batch: list[Taken], sequence: int) -> Outcome:
    """Return what the composer makes of a batch that names nothing from before it."""
    state = BatchState({environment: nothing_of(needs_of(batch).environments[environment], sequence)})
    outcome = compose(batch, state)
    refused = [event for event in outcome.events if event.type == "CommandRejected"]
    if outcome.records < len(batch) or refused:
        raise RuntimeError(f"a seeded batch was not decided as a whole: {refused[:1] or outcome.records}")
    return outcome


def _batch(environment: str, numbers: range, partition: int, offset: int) -> Iterator[Taken]:
    now = datetime.now(UTC)
    for place, (command_id, data) in enumerate(_asked(numbers)):
        command = Command(command_id, environment, "grower", "/benchmarks/seeding", timestamp(now), data)
        yield Received(partition, offset + place, None, None, [], now), command


def _asked(numbers: range) -> Iterator[tuple[UUID, CommandData]]:
    for first in numbers[::PIPELINES_OF_A_STEP]:
        requested = _new_id()
        yield requested, _step(step_name(first))
        report = StepBuildReported(
            step_name=step_name(first), requested_by=str(requested), outcome="ready", commit_id="4b825dc" * 5
        )
        yield _new_id(), report
    for number in numbers:
        yield _new_id(), PipelineRequested(pipeline_name=pipeline_name(number), step_names=[step_name(number)])
        if number % PIPELINES_OF_A_DEPLOYMENT == 0:
            yield (
                _new_id(),
                DeploymentRequested(
                    name=f"deployment-{number:07}",
                    pipeline_name=pipeline_name(number),
                    execution_rule="endpoint",
                    endpoint_token_hash=TOKEN_HASH,
                ),
            )


def _step(name: str) -> StepRequested:
    return StepRequested(
        step_name=name,
        function_path="src/predict.py",
        function_name="predict",
        description="Tells how likely a customer is to leave",
        inputs=INPUTS,
        outputs=OUTPUTS,
        container_config={"repository_url": "https://git.example/churn.git", "repository_branch": "main"},
    )


def _new_id() -> UUID:
    return UUID(int=uuid_utils.uuid7().int)


async def _control_data(connection: Connection, shape: Shape) -> None:
    rows = [(environment,) for environment in shape.environment_ids]
    await connection.copy_records_to_table("environment", records=rows, columns=["id"])


async def _copy(connection: Connection, rows: Rows) -> None:
    async with connection.transaction():
        for table, (kind, keys, columns) in TABLES.items():
            records: Iterator[tuple[Any, ...]] = zip(*(rows[f"{kind}_{key}"] for key in keys), strict=True)
            await connection.copy_records_to_table(table, records=records, columns=columns)


async def _settle(connection: Connection, shape: Shape, topic: str, topic_id: UUID) -> None:
    """Write the heads and the cursors, tell the relay that all is published, and have Postgres take stock."""
    await connection.execute(
        "INSERT INTO environment_head SELECT environment, max(sequence) FROM event_log GROUP BY environment",
        timeout=600,
    )
    partitions = range(shape.partitions)
    cursors = [(topic, each, topic_id) for each in partitions]
    await connection.executemany("INSERT INTO partition_cursor VALUES ($1, $2, $3, 1, 0, 'seeding')", cursors)
    await connection.executemany("INSERT INTO relay_position VALUES ($1, 0, -1, -1)", [(each,) for each in partitions])
    await connection.execute("VACUUM ANALYZE", timeout=1800)


async def open_connection(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection for work that takes minutes."""
    return await asyncpg.connect(dsn, timeout=10, command_timeout=600)
