"""A log of an earlier version is read by later code: the commands in it, and the events in it."""

import json
from typing import Any, ClassVar

import pytest
from pydantic import JsonValue

from events.commands import COMMANDS, CommandData, PipelineRequested
from events.results import RESULTS, CommandRejected, PipelineCreated
from events.upcasting import EARLIER, Earlier
from services.composer.decider import decide
from services.composer.decider.pipelines import request_pipeline
from tests.support.installation import command
from tests.support.services import eventually

from .conftest import Feed


class RecordedPipelineRequested(PipelineRequested):
    """A second version, in which a pipeline is asked for by one who says why."""

    version: ClassVar[int] = 2
    reason: str


class RecordedPipelineCreated(PipelineCreated):
    """A second version, which says why."""

    version: ClassVar[int] = 2
    reason: str


class RecordedRejection(CommandRejected):
    """A second version, of which the first one is told with a longer message."""

    version: ClassVar[int] = 2


RecordedRejection.__name__ = CommandRejected.__name__
RecordedPipelineRequested.__name__ = PipelineRequested.__name__
RecordedPipelineCreated.__name__ = PipelineCreated.__name__


def request_recorded_pipeline(state: Any, asked: Any, data: Any) -> list[Any]:
    return [
        RecordedPipelineCreated(**each.model_dump(), reason=data.reason)
        for each in request_pipeline(state, asked, data)
    ]


def with_reason(written: PipelineRequested | PipelineCreated) -> dict[str, JsonValue]:
    return {**written.model_dump(mode="json"), "reason": "nobody said so"}


def with_more(written: CommandRejected) -> dict[str, JsonValue]:
    return {**written.model_dump(mode="json"), "message": "told anew"}


def upgrade(patch: pytest.MonkeyPatch) -> None:
    """Make this process one of the later version, which still knows the first one of both types."""
    patch.setitem(COMMANDS, "PipelineRequested", RecordedPipelineRequested)
    patch.setitem(RESULTS, "PipelineCreated", RecordedPipelineCreated)
    patch.setitem(EARLIER, ("PipelineRequested", 1), Earlier(PipelineRequested, with_reason))
    patch.setitem(EARLIER, ("PipelineCreated", 1), Earlier(PipelineCreated, with_reason))
    patch.setitem(RESULTS, "CommandRejected", RecordedRejection)
    patch.setitem(EARLIER, ("CommandRejected", 1), Earlier(CommandRejected, with_more))
    asked: type[CommandData] = RecordedPipelineRequested
    patch.setitem(decide.RULES, asked, request_recorded_pipeline)


async def test_a_log_of_the_first_version_is_replayed_by_code_of_the_second(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a pipeline that was made in the first version, and commands of it that wait in Kafka
    member = await feed.member()
    first, waiting = (
        command(member.environment, PipelineRequested(pipeline_name=name, step_names=["s"])) for name in ("a", "b")
    )
    await feed.ready_step(member.environment, "s")
    async with feed.composer(), feed.query(), feed.reading(member, {"from": "beginning"}) as reader:
        await feed.log.ask(first)
        told = [json.loads((await reader.next()).data) for _ in range(3)]
    assert (told[2]["type"], told[2].get("reason")) == ("pipeloom.PipelineCreated.v1", None)
    await feed.log.ask(waiting, first)
    # When
    upgrade(monkeypatch)
    recorded = command(
        member.environment, RecordedPipelineRequested(pipeline_name="c", step_names=["s"], reason="a test")
    )
    async with feed.composer(), feed.query(), feed.reading(member, {"from": "beginning"}) as reader:
        await feed.log.ask(recorded)
        told = [json.loads((await reader.next()).data) for _ in range(5)]
    # Then: the waiting command took effect, the repeat of the first one did not, and all is told in the second version
    assert [(each["commandid"], each["type"], each["data"]["reason"]) for each in told[2:]] == [
        (str(first.id), "pipeloom.PipelineCreated.v2", "nobody said so"),
        (str(waiting.id), "pipeloom.PipelineCreated.v2", "nobody said so"),
        (str(recorded.id), "pipeloom.PipelineCreated.v2", "a test"),
    ]
    assert [each["dataschema"] for each in told[2:3]] == ["pipeloom:/schemas/events/PipelineCreated.v2.json"]


async def test_histories_and_the_list_of_commands_tell_an_earlier_version_as_the_second(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a refusal that was logged in the first version
    member = await feed.member()
    async with feed.composer(), feed.query(), feed.client(member) as client:
        await feed.ask(member.environment, 0, 1)

        async def is_decided() -> bool:
            return bool(await client.list_commands())

        await eventually(is_decided)
        ((before,), (listed_before,)) = await client.history("pipeline", "p0"), await client.list_commands()
        # When
        upgrade(monkeypatch)
        ((after,), (listed_after,)) = await client.history("pipeline", "p0"), await client.list_commands()
    # Then
    refusals = [entry["refusal"] for entry in (before, listed_before, after, listed_after)]
    assert [refusal and refusal["code"] for refusal in refusals] == ["step_not_found"] * 4
    assert [refusal and refusal["message"] == "told anew" for refusal in refusals] == [False, False, True, True]
