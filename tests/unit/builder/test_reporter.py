import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from events.commands import StepBuildReported
from events.envelope import Command, Event, Position
from events.refusals import Code, FailureCode, Refused
from events.resources import Step
from events.results import StepCreated
from services.builder.errors import Unbuildable, Unreachable
from services.builder.examine import Bench, Built
from services.builder.reporter import PART, Reporter
from services.builder.threads import BuildThreads
from services.kit.health import Health
from services.kit.settings import BuilderSettings
from tests.unit.builder.bench import bench_of

COMMIT = "c" * 40
SOURCE = f"sha256:{'5' * 64}"
BUILT = Built(COMMIT, "git_repository", SOURCE)
GIVE_UP_S = 10.0

Examine = Callable[[str, Step, Bench, threading.Event], Built]


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


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(BuilderSettings(work_dir=tmp_path / "work"))


Report = Callable[..., Coroutine[Any, Any, list[Command]]]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Build a step; return what Kafka was asked."""

    async def carry_out(
        created: tuple[Event, Step], *, timeout_s: float = 60.0, kafka: Kafka | None = None
    ) -> list[Command]:
        kafka = kafka or Kafka()
        bench = bench_of(BuilderSettings(work_dir=tmp_path / "work", timeout_s=timeout_s))
        return await reported(bench, created, kafka)

    return carry_out


async def reported(bench: Bench, created: tuple[Event, Step], kafka: Kafka) -> list[Command]:
    reporter = Reporter(bench, BuildThreads(2), kafka.publish, Health(), asyncio.Event())
    async with asyncio.timeout(GIVE_UP_S):
        await reporter.report(*created)
    return kafka.asked


def told(kafka: Kafka) -> StepBuildReported:
    [command] = kafka.asked
    assert isinstance(command.data, StepBuildReported)
    return command.data


async def test_a_good_step_is_reported_ready_in_its_environment(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    examined_by(lambda *_: BUILT)
    [command] = await report(created)
    event, step = created
    assert command.data == StepBuildReported(
        step_name=step.step_name,
        requested_by=step.requested_by,
        outcome="ready",
        commit_id=COMMIT,
        origin="git_repository",
        source=SOURCE,
    )
    assert (command.environment, command.actor, command.source) == ("lab", "builder", "/pipeloom/builder")
    assert command.traceparent == event.traceparent


async def test_a_step_that_cannot_be_built_is_reported_failed_with_the_reason(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    def refuse(*_: object) -> Built:
        raise Unbuildable(FailureCode.SOURCE_MISSING, "The step names no source.")

    examined_by(refuse)
    [command] = await report(created)
    assert command.data == StepBuildReported(
        step_name="train",
        requested_by=created[1].requested_by,
        outcome="failed",
        reason="The step names no source.",
        failure_code="source_missing",
    )


async def test_every_report_on_one_event_is_the_same_command(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    examined_by(lambda *_: BUILT)
    [first], [again] = await report(created), await report(created)
    assert first.id == again.id
    assert first.fingerprint() == again.fingerprint()


async def test_another_event_of_the_same_step_is_reported_by_another_command(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    examined_by(lambda *_: BUILT)
    [first], [other] = await report(created), await report((event_of(created[1], UUID(int=2)), created[1]))
    assert first.id != other.id


async def test_a_report_is_repeated_under_the_same_id_until_kafka_takes_it(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    examined_by(lambda *_: BUILT)
    asked = await report(created, kafka=Kafka(refusals=3))
    assert len(asked) == 4
    assert len({command.id for command in asked}) == 1


async def test_trouble_of_our_own_is_waited_out_and_told_on_the_health_page(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], bench: Bench
) -> None:
    # Given a disk that is full twice
    health, kafka, told = Health(), Kafka(), []

    def examine(*_: object) -> Built:
        told.append(health.troubles.get(PART))
        if len(told) <= 2:
            raise OSError(28, "No space left on device")
        return BUILT

    examined_by(examine)
    # When
    async with asyncio.timeout(GIVE_UP_S):
        await Reporter(bench, BuildThreads(2), kafka.publish, health, asyncio.Event()).report(*created)
    # Then the step is ready all the same, and the page was ill only meanwhile
    [command] = kafka.asked
    assert isinstance(command.data, StepBuildReported)
    assert command.data.outcome == "ready"
    assert told[0] is None
    assert "No space left on device" in str(told[2])
    assert health.is_ready


async def test_a_host_that_does_not_answer_is_asked_again(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    answers = iter([Unreachable("it answered 503"), Unreachable("it answered 503")])

    def examine(*_: object) -> Built:
        for error in answers:
            raise error
        return BUILT

    examined_by(examine)
    [command] = await report(created)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.commit_id == COMMIT


async def test_a_host_that_never_answers_fails_the_build_at_its_deadline(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    def examine(*_: object) -> Built:
        raise Unreachable("it answered 503")

    examined_by(examine)
    [command] = await report(created, timeout_s=0.05)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.failure_code == "repository_unreachable"
    assert command.data.reason == (
        "The build did not end within 0.05 s. Check repository_url and try again later: it answered 503."
    )


async def test_a_build_past_its_deadline_fails_and_its_thread_is_told_to_end(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    ended = threading.Event()

    def examine(environment: str, step: Step, bench: Bench, abandoned: threading.Event) -> Built:
        if abandoned.wait(GIVE_UP_S):
            ended.set()
        return BUILT

    examined_by(examine)
    [command] = await report(created, timeout_s=0.05)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.failure_code == "build_timeout"
    assert ended.wait(GIVE_UP_S)


async def test_a_build_that_waits_for_the_place_of_one_that_does_not_end_has_its_whole_time(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], tmp_path: Path
) -> None:
    # Given one place, and a build that goes on when it is abandoned
    bench = bench_of(BuilderSettings(work_dir=tmp_path / "work", timeout_s=0.2))
    threads, release, begun = BuildThreads(1), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def never_ending(*_: object) -> Built:
        release.wait(GIVE_UP_S)
        return BUILT

    examined_by(never_ending)
    first = Kafka()
    await Reporter(bench, threads, first.publish, Health(), asyncio.Event()).report(*created)
    assert told(first).failure_code == "build_timeout"

    # When another one waits for longer than a build may take
    def examine(*_: object) -> Built:
        loop.call_soon_threadsafe(begun.set)
        return BUILT

    examined_by(examine)
    second = Kafka()
    task = asyncio.create_task(Reporter(bench, threads, second.publish, Health(), asyncio.Event()).report(*created))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(begun.wait(), 0.4)
    release.set()
    # Then
    await asyncio.wait_for(task, GIVE_UP_S)
    assert told(second).outcome == "ready"


async def test_a_cancelled_build_reports_nothing_and_its_thread_is_told_to_end(
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    begun, ended, kafka = asyncio.Event(), threading.Event(), Kafka()
    loop = asyncio.get_running_loop()

    def examine(environment: str, step: Step, bench: Bench, abandoned: threading.Event) -> Built:
        loop.call_soon_threadsafe(begun.set)
        if abandoned.wait(GIVE_UP_S):
            ended.set()
        return BUILT

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
    examined_by: Callable[[Examine], None], created: tuple[Event, Step], report: Report
) -> None:
    def examine(*_: object) -> Built:
        raise TypeError("a bug")

    examined_by(examine)
    [command] = await report(created)
    assert isinstance(command.data, StepBuildReported)
    assert command.data.outcome == "failed"
    assert "fault of the builder" in str(command.data.reason)
    assert "a bug" not in str(command.data.reason)
