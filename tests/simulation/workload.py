"""What producers put onto the commands topic: commands, repeats, strays, poison, and transactions that are given up."""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Literal
from uuid import UUID

from aiokafka import TopicPartition

from events.codec import encode_command
from events.commands import (
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    SealedValue,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
    StepUpdateRequested,
)
from events.envelope import Command
from services.kit.partitions import partition_of
from tests.simulation.broker import Broker
from tests.simulation.log import Payload
from tests.simulation.transactions import Concurrent

# Two on one partition, one on the other, of two.
ENVIRONMENTS = ("amber", "birch", "cedar")
OUTCOMES: tuple[Literal["ready", "failed"], ...] = ("ready", "ready", "ready", "ready", "failed")
NOBODYS = "nowhere"
TIME = "2026-01-31T12:00:00.000Z"
SEALED = "sealed:v1:0123abcd:AAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class Workload:
    """Makes records from one stream of random numbers."""

    def __init__(self, seed: object, topic: str, partitions: int) -> None:
        self.random = random.Random(f"workload {seed}")
        self._topic = topic
        self._partitions = partitions
        self._requests: dict[tuple[str, str], UUID] = {}
        self._sent: list[tuple[TopicPartition, Payload]] = []
        self._poisons: tuple[Callable[[], tuple[TopicPartition, Payload]], ...] = (
            self._not_json,
            self._without_id,
            self._misrouted,
            self._of_nobody,
            self._unreadable,
            self._other_body,
        )

    async def produce(self, broker: Broker, number: int, within_s: float) -> None:
        """Put `number` records onto the topic, spread over `within_s` seconds."""
        left = number
        while left > 0:
            await asyncio.sleep(self.random.expovariate(number / within_s))
            together = min(left, self.random.choice((1, 1, 1, 2, 5)))
            records = [self._record() for _ in range(together)]
            left -= together
            if self.random.random() < 0.1:
                await self._transact(broker, records)
            else:
                for where, payload in records:
                    broker.append(where, payload)
            self._sent += records

    async def _transact(self, broker: Broker, records: list[tuple[TopicPartition, Payload]]) -> None:
        """Write records in a transaction, which ends well, badly, or when the next one of its id begins."""
        transactions, name = broker.transactions, f"producer-{self.random.randrange(2)}"
        while True:
            try:
                epoch = transactions.take(name)
                break
            except Concurrent:
                await asyncio.sleep(0.01)
        for order, (where, payload) in enumerate(records):
            transactions.write(name, epoch, 0, order, where, [payload])
            await asyncio.sleep(self.random.uniform(0, 0.05))
        end = self.random.choice(("commit", "commit", "abort", None))
        if end == "commit":
            transactions.end(name, epoch, 0, "commit")
        elif end == "abort":
            transactions.end(name, epoch, 0, "abort")

    def _record(self) -> tuple[TopicPartition, Payload]:
        dice = self.random.random()
        if dice < 0.1 and self._sent:
            return self.random.choice(self._sent)
        if dice < 0.2:
            return self.random.choice(self._poisons)()
        return self._placed(self._command(self.random.choice(ENVIRONMENTS)))

    def _placed(self, command: Command) -> tuple[TopicPartition, Payload]:
        record = encode_command(command)
        where = TopicPartition(self._topic, partition_of(command.environment, self._partitions))
        return where, Payload(record.key, record.value, record.headers)

    def _command(self, environment: str) -> Command:
        command_id = self._id()
        data = self._data(environment, command_id)
        return Command(command_id, environment, "ada", "/simulation", TIME, data)

    def _id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _data(self, environment: str, command_id: UUID) -> CommandData:
        """Return something to ask for; names are few, so that commands meet each other's effects."""
        chance = self.random
        step, pipeline, deployment = (f"{kind}{chance.randrange(2)}" for kind in "spd")
        force = chance.random() < 0.5
        match chance.randrange(14):
            case 0 | 1:
                self._requests[environment, step] = command_id
                return StepRequested(
                    step_name=step, function_path="a.py", function_name="f", description=f"of {environment}"
                )
            case 2 | 3 | 4:
                asked = self._requests.get((environment, step), command_id)
                return StepBuildReported(step_name=step, requested_by=str(asked), outcome=chance.choice(OUTCOMES))
            case 5:
                self._requests[environment, step] = command_id
                return StepUpdateRequested(step_name=step, description=f"again of {environment}")
            case 6:
                return StepDeleteRequested(step_name=step, force_dependents_deletion=force)
            case 7 | 8:
                return PipelineRequested(pipeline_name=pipeline, step_names=[step])
            case 9:
                return PipelineDeleteRequested(pipeline_name=pipeline, force_deployments_deletion=force)
            case 10 | 11:
                return DeploymentRequested(name=deployment, pipeline_name=pipeline, execution_rule="endpoint")
            case 12:
                return DeploymentDeleteRequested(name=deployment)
            case _ if force:
                values = [SealedValue(name=f"V{chance.randrange(2)}", sealed_value=SEALED)]
                return EnvironmentVariablesRequested(environment_variables=values)
            case _:
                return EnvironmentVariableDeleteRequested(name=f"V{chance.randrange(2)}")

    def _any(self) -> tuple[TopicPartition, Payload]:
        return self._placed(self._command(self.random.choice(ENVIRONMENTS)))

    def _not_json(self) -> tuple[TopicPartition, Payload]:
        where, payload = self._any()
        return where, Payload(payload.key, b"{", payload.headers)

    def _without_id(self) -> tuple[TopicPartition, Payload]:
        where, payload = self._any()
        return where, Payload(payload.key, payload.value, [each for each in payload.headers if each[0] != "ce_id"])

    def _misrouted(self) -> tuple[TopicPartition, Payload]:
        where, payload = self._any()
        return TopicPartition(where.topic, (where.partition + 1) % self._partitions), payload

    def _of_nobody(self) -> tuple[TopicPartition, Payload]:
        return self._placed(self._command(NOBODYS))

    def _unreadable(self) -> tuple[TopicPartition, Payload]:
        where, payload = self._any()
        return where, Payload(payload.key, payload.value, payload.headers, is_unreadable=True)

    def _other_body(self) -> tuple[TopicPartition, Payload]:
        """Return an id that was taken, with something else asked under it."""
        if not self._sent:
            return self._any()
        where, payload = self.random.choice(self._sent)
        other = json.dumps({"name": "d0"}).encode()
        headers = [("ce_type", b"pipeloom.DeploymentDeleteRequested.v1"), *payload.headers[:1]]
        headers += [each for each in payload.headers[1:] if each[0] != "ce_type"]
        return where, Payload(payload.key, other, headers)
