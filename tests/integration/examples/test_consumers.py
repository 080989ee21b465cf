"""What a topic may hold besides each event once, and what the example consumers make of it."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.codec import encode_event
from events.envelope import Event, Position
from services.kit.kafka import transactional_producer
from services.kit.settings import Settings
from tests.support.consumers import Consumers
from tests.support.installation import Log, unique

CREATED_AT = "2026-01-31T12:00:00.000Z"


def listed(name: str) -> dict[str, str]:
    return {"pipeline_name": name, "created_at": CREATED_AT, "status": "Ready"}


def variables(installation: Settings) -> dict[str, str]:
    """Return what tells a consumer which topic to read."""
    return {
        "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": installation.kafka.bootstrap_servers,
        "PIPELOOM_KAFKA__TOPIC_PREFIX": installation.kafka.topic_prefix,
    }


class Story:
    """Writes an environment's events to the topic, in transactions as the relay does."""

    def __init__(self, log: Log, environment: str) -> None:
        self._log = log
        self.environment = environment

    def event(self, sequence: int | None, kind: str, version: int = 1, **data: Any) -> Event:
        """Return an event at that place of the history."""
        return Event(
            partition=0,
            position=Position(sequence or 0, 0),
            environment=self.environment,
            sequence=sequence,
            type=kind,
            version=version,
            subject="pipelines/churn",
            command_id=UUID(int=sequence) if sequence else uuid4(),
            command_source="/tests",
            is_result=True,
            actor="ada",
            time=CREATED_AT,
            data=json.dumps(data),
        )

    def created(self, sequence: int | None, name: str) -> Event:
        pipeline = listed(name) | {"step_names": ["train"], "connections": [], "inputs": [], "outputs": []}
        return self.event(sequence, "PipelineCreated", pipeline={**pipeline, "created_by": "ada"})

    def deleted(self, sequence: int, name: str) -> Event:
        return self.event(sequence, "PipelineDeleted", pipeline=listed(name), deployments=[])

    async def publish(self, *events: Event, abort: bool = False) -> None:
        """Put events on the topic in one transaction."""
        async with transactional_producer(self._log.kafka, unique("relay")) as producer:
            await producer.begin_transaction()
            for event in events:
                record = encode_event(event)
                await producer.send_and_wait(self._log.events_topic, record.value, record.key, headers=record.headers)
            await (producer.abort_transaction() if abort else producer.commit_transaction())


@pytest.mark.parametrize("consumer", ["aiokafka", "faust", "kafkajs"])
async def test_a_consumer_lets_each_event_of_a_history_have_its_effect_once(
    installation: Settings, log: Log, consumers: Consumers, consumer: str
) -> None:
    story = Story(log, environment=unique("env"))
    kept, again, gone = story.created(1, "kept"), story.created(2, "gone"), story.deleted(3, "gone")
    await story.publish(kept, again, gone)
    await story.publish(again, gone, again)
    await story.publish(story.created(9, "never-was"), story.deleted(10, "kept"), abort=True)
    await story.publish(story.created(None, "stray"))
    await story.publish(story.event(4, "PipelineArchived", pipeline=listed("kept")))
    await story.publish(story.event(5, "StepDeleted", step={}, pipelines=["gone"], deployments=[]))
    await story.publish(story.created(6, "later"))
    table = await consumers.table(consumer, variables(installation), story.environment, sequence=6)

    assert table == {story.environment: {"sequence": 6, "pipelines": [listed("kept"), listed("later")]}}


@pytest.mark.parametrize("consumer", ["aiokafka", "kafkajs"])
async def test_a_consumer_of_a_topic_without_events_has_an_empty_table(
    installation: Settings, consumers: Consumers, consumer: str
) -> None:
    assert await consumers.table(consumer, variables(installation), "none", sequence=0) == {}


@pytest.mark.parametrize("consumer", ["aiokafka", "kafkajs"])
async def test_a_consumer_that_follows_shows_the_table_again_when_an_event_has_come(
    installation: Settings, log: Log, consumers: Consumers, consumer: str
) -> None:
    story = Story(log, environment=unique("env"))
    await story.publish(story.created(1, "churn"))

    async with consumers.following(consumer, variables(installation)) as next_table:
        before = await next_table()
        await story.publish(story.deleted(2, "churn"))
        after = await next_table()

    assert before == {story.environment: {"sequence": 1, "pipelines": [listed("churn")]}}
    assert after == {story.environment: {"sequence": 2, "pipelines": []}}
