import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo

from events.envelope import Event
from services.builder.examine import Built, examine

WAIT_S = 20.0


async def test_a_created_step_is_reported_ready_at_its_commit(
    workshop: Any, created: Any, reported: Any, repository: Path
) -> None:
    # Given
    event: Event = created(str(repository))
    with Repo(str(repository)) as repo:
        head = repo.head().decode()
    async with workshop.builder():
        # When
        await workshop.publish(event)
        # Then
        [command] = await workshop.reports(1)
        await workshop.caught_up()
    assert (command.environment, command.actor, command.source) == ("lab", "builder", "/pipeloom/builder")
    report = reported(command)
    assert (report.step_name, report.requested_by) == ("train", str(event.command_id))
    assert (report.outcome, report.commit_id, report.origin) == ("ready", head, "git_repository")


async def test_a_step_that_cannot_be_built_is_reported_failed_with_what_to_mend(
    workshop: Any, created: Any, reported: Any, tmp_path: Path
) -> None:
    async with workshop.builder():
        await workshop.publish(created(str(tmp_path / "missing")))
        [command] = await workshop.reports(1)
    assert reported(command).outcome == "failed"
    assert reported(command).reason == f"There is no folder '{tmp_path / 'missing'}'; mend repository_url."


async def test_a_redelivered_event_is_reported_by_the_same_command(
    workshop: Any, created: Any, repository: Path
) -> None:
    # Given an event that Kafka holds twice, with one of another step behind it
    event = created(str(repository))
    async with workshop.builder():
        for published in (event, event, created(str(repository), step_name="other")):
            await workshop.publish(published)
        # When
        commands = await workshop.reports(3)
    # Then
    by_step = {(command.data.step_name, command.id, command.fingerprint()) for command in commands}
    assert len(by_step) == 2


async def test_two_builders_share_the_work_and_report_each_step_by_one_id(
    workshop: Any, created: Any, reported: Any, repository: Path
) -> None:
    names = {f"step-{number}" for number in range(20)}
    async with workshop.builder(), workshop.builder():
        for name in names:
            await workshop.publish(created(str(repository), step_name=name))
        await workshop.caught_up()
        commands = await workshop.reports(len(names))
    assert {reported(command).step_name for command in commands} == names
    assert len({command.id for command in commands}) == len(names)


async def test_records_that_are_no_created_steps_are_skipped_and_committed(
    workshop: Any, created: Any, reported: Any, repository: Path
) -> None:
    # Given noise in front of a step, on the same partition
    headers = [("ce_type", b"pipeloom.PipelineCreated.v1")]
    for value, noise in ((b"\xff\x00", []), (None, headers), (b"{}", headers), (b"", [("ce_type", b"\xff")])):
        await workshop.publish_raw(value, noise)
    await workshop.publish(replace(created(str(repository)), data="{}"))
    async with workshop.builder():
        # When
        await workshop.publish(created(str(repository)))
        # Then
        [command] = await workshop.reports(1)
        await workshop.caught_up()
    assert reported(command).outcome == "ready"


async def test_a_build_that_was_cut_short_is_not_committed_and_comes_again(
    workshop: Any, created: Any, reported: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a builder that is stopped while it builds
    loop, begun, abandonment = asyncio.get_running_loop(), asyncio.Event(), []

    def examine(environment: str, step: object, bench: object, abandoned: threading.Event) -> Built:
        loop.call_soon_threadsafe(begun.set)
        abandonment.append(abandoned.wait(WAIT_S))
        return Built("c" * 40, "git_repository", f"sha256:{'5' * 64}")

    with monkeypatch.context() as patched:
        patched.setattr("services.builder.reporter.examine", examine)
        await workshop.publish(created(str(repository)))
        async with workshop.builder(), asyncio.timeout(WAIT_S):
            await begun.wait()
    assert await workshop.lag() == 1
    # When
    async with workshop.builder():
        [command] = await workshop.reports(1)
        await workshop.caught_up()
    # Then
    assert reported(command).outcome == "ready"
    assert reported(command).commit_id != "c" * 40


async def test_a_slow_build_holds_up_neither_the_steps_behind_it_nor_the_group(
    workshop: Any, created: Any, reported: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one build that does not end
    def slow_for_one(environment: str, step: Any, bench: Any, abandoned: threading.Event) -> Built:
        if step.step_name == "slow":
            abandoned.wait(WAIT_S)
        return examine(environment, step, bench, abandoned)

    monkeypatch.setattr("services.builder.reporter.examine", slow_for_one)
    async with workshop.builder():
        await workshop.publish(created(str(repository), step_name="slow"))
        # When
        for number in range(10):
            await workshop.publish(created(str(repository), step_name=f"quick-{number}"))
        # Then the others are reported
        commands = await workshop.reports(10)
        assert {reported(command).step_name for command in commands} == {f"quick-{number}" for number in range(10)}
    # And nothing behind the slow one was committed
    assert await workshop.lag() == 11


async def test_the_health_page_tells_the_consumer_and_the_producer(workshop: Any) -> None:
    async with workshop.builder() as health:
        assert set(health.troubles) == {"kafka producer", "kafka consumer", "progress"}
