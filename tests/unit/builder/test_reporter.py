import asyncio
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from events.commands import StepBuildReported
from events.envelope import Command, Event, Position
from events.refusals import Code, Refused
from events.resources import Step
from events.results import StepCreated
from services.builder.errors import Unbuildable, Unreachable
from services.builder.reporter import PART, Reporter
from services.kit.health import Health
from services.kit.settings import BuilderSettings

COMMIT = "c" * 40
GIVE_UP_S = 10.0

Examine = Callable[[Step, BuilderSettings, threading.Event], str]


class Kafka:
    """Takes commands, after refusing as many as it is told."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.asked: list[Command] = []

    async def publish(self, command: Command) -> None:
        self.asked.append(command)
        if len(self.asked) <= self.refusals:
            raise Refused(Code.KAFKA_UNAVAILABLE, "Kafka is away")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kit.backoff.FIRST_S", 0.001)


@pytest.fixture
def examined_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Examine], None]:
    return lambda examine: monkeypatch.setattr("services.builder.reporter.examine", examine)


@pytest.fixture
def created(make_step: Any) -> tuple[Event, Step]:
    step = make_step()
    return event_of(step, UUID(int=1)), step


def event_of(step: Step, command_id: UUID) -> Event:
    return Event(
        partition=0,
        position=Position(7, 0),
        environment="lab",
        sequence=1,
        type="StepCreated",
        version=1,
        subject="steps/train",
        command_id=command_id,
        command_source="/test",
        is_result=True,
        actor="ada",
        time="2026-01-31T12:00:00.000Z",
        data=StepCreated(step=step).model_dump_json(),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


async def report(created: tuple[Event, Step], *, timeout_s: float = 60.0, kafka: Kafka | None = None) -> list[Command]:
    kafka = kafka or Kafka()
    reporter = Reporter(BuilderSettings(timeout_s=timeout_s), kafka.publish, Health(), asyncio.Event())
    async with asyncio.timeout(GIVE_UP_S):
        await reporter.report(*created)
    return kafka.asked


async def test_a_good_step_is_reported_ready_in_its_environment(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    examined_by(lambda *_: COMMIT)
    [command] = await report(created)
    event, step = created
    assert command.data == StepBuildReported(
        step_name=step.step_name,
        requested_by=step.requested_by,
        outcome="ready",
        commit_id=COMMIT,
        origin="git_repository",
    )
    assert (command.environment, command.actor, command.source) == ("lab", "builder", "/pipeloom/builder")
    assert command.traceparent == event.traceparent


async def test_a_step_that_cannot_be_built_is_reported_failed_with_the_reason(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    def refuse(*_: object) -> str:
        raise Unbuildable("The step names no source.")

    examined_by(refuse)
    [command] = await report(created)
    assert command.data == StepBuildReported(
        step_name="train", requested_by=created[1].requested_by, outcome="failed", reason="The step names no source."
    )


async def test_every_report_on_one_event_is_the_same_command(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    examined_by(lambda *_: COMMIT)
    [first], [again] = await report(created), await report(created)
    assert first.id == again.id
    assert first.fingerprint() == again.fingerprint()


async def test_another_event_of_the_same_step_is_reported_by_another_command(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    examined_by(lambda *_: COMMIT)
    [first], [other] = await report(created), await report((event_of(created[1], UUID(int=2)), created[1]))
    assert first.id != other.id


async def test_a_report_is_repeated_under_the_same_id_until_kafka_takes_it(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    examined_by(lambda *_: COMMIT)
    asked = await report(created, kafka=Kafka(refusals=3))
    assert len(asked) == 4
    assert len({command.id for command in asked}) == 1


async def test_trouble_of_our_own_is_waited_out_and_told_on_the_health_page(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    # Given a disk that is full twice
    health, kafka, told = Health(), Kafka(), []

    def examine(*_: object) -> str:
        told.append(health.troubles.get(PART))
        if len(told) <= 2:
            raise OSError(28, "No space left on device")
        return COMMIT

    examined_by(examine)
    # When
    async with asyncio.timeout(GIVE_UP_S):
        await Reporter(BuilderSettings(), kafka.publish, health, asyncio.Event()).report(*created)
    # Then the step is ready all the same, and the page was ill only meanwhile
    [command] = kafka.asked
    assert isinstance(command.data, StepBuildReported)
    assert command.data.outcome == "ready"
    assert told[0] is None
    assert "No space left on device" in str(told[2])
    assert health.is_ready


async def test_a_host_that_does_not_answer_is_asked_again(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    answers = iter([Unreachable("it answered 503"), Unreachable("it answered 503")])

    def examine(*_: object) -> str:
        for error in answers:
            raise error
        return COMMIT

    examined_by(examine)
    [command] = await report(created)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.commit_id == COMMIT


async def test_a_host_that_never_answers_fails_the_build_at_its_deadline(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    def examine(*_: object) -> str:
        raise Unreachable("it answered 503")

    examined_by(examine)
    [command] = await report(created, timeout_s=0.05)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.outcome == "failed"
    assert command.data.reason == (
        "The build did not end within 0.05 s. The last trouble was: it answered 503. "
        "Try again later, or make the repository smaller."
    )


async def test_a_build_past_its_deadline_fails_and_its_thread_is_told_to_end(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    ended = threading.Event()

    def examine(step: Step, settings: BuilderSettings, abandoned: threading.Event) -> str:
        if abandoned.wait(GIVE_UP_S):
            ended.set()
        return COMMIT

    examined_by(examine)
    [command] = await report(created, timeout_s=0.05)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.outcome == "failed"
    assert ended.wait(GIVE_UP_S)


async def test_a_cancelled_build_reports_nothing_and_its_thread_is_told_to_end(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    begun, ended, kafka = asyncio.Event(), threading.Event(), Kafka()
    loop = asyncio.get_running_loop()

    def examine(step: Step, settings: BuilderSettings, abandoned: threading.Event) -> str:
        loop.call_soon_threadsafe(begun.set)
        if abandoned.wait(GIVE_UP_S):
            ended.set()
        return COMMIT

    examined_by(examine)
    task = asyncio.create_task(report(created, kafka=kafka))
    async with asyncio.timeout(GIVE_UP_S):
        await begun.wait()
    # When
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Then
    assert ended.wait(GIVE_UP_S)
    assert kafka.asked == []


async def test_a_fault_of_the_builder_fails_the_one_step_and_says_whose_fault_it_is(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step]
) -> None:
    def examine(*_: object) -> str:
        raise TypeError("a bug")

    examined_by(examine)
    [command] = await report(created)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.outcome == "failed"
    assert "fault of the builder" in str(command.data.reason)
    assert "a bug" not in str(command.data.reason)
