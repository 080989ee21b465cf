"""The event log is read as the composer wrote it."""

import json
from typing import Any
from uuid import UUID

import pytest

from events.envelope import Event, Position
from services.kit.eventlog import Span, read_after, read_environments, read_history, read_ranges, read_result
from services.kit.postgres import Connection

from .conftest import MakeEvent, take_id, write_log


async def test_an_event_is_read_with_everything_that_was_written(connection: Connection, make_event: MakeEvent) -> None:
    event = make_event(
        position=Position(2**40, 3),
        subject="pipelines/Ünïcode 😀",
        traceparent="00-trace",
        version=4,
        is_result=False,
        data='{"text":"\\u0000é"}',
    )
    await write_log(connection, event)
    assert await read_after(connection, 0, Position(0, 0), 10) == [event]


async def test_a_refusal_without_a_place_in_the_history_is_read_too(
    connection: Connection, make_event: MakeEvent
) -> None:
    refusals = [make_event(sequence=None, type="CommandRejected") for _ in range(2)]
    await write_log(connection, *refusals)
    assert await read_after(connection, 0, Position(0, 0), 10) == refusals


async def test_ranges_are_read_in_the_order_of_the_log(connection: Connection, make_event: MakeEvent) -> None:
    # Given
    places = [(0, 4, 0), (0, 5, 1), (0, 5, 0), (0, 6, 0), (1, 5, 0), (2, 5, 0), (2, 9, 0)]
    events = [make_event(partition=each[0], position=Position(*each[1:])) for each in places]
    await write_log(connection, *events)
    # When
    asked = {event.command_id for event in events}
    found = await read_ranges(connection, {2: (5, 5), 0: (5, 6)}, asked, [])
    # Then
    assert [(event.partition, event.position.offset, event.position.index) for event in found] == [
        (0, 5, 0),
        (0, 5, 1),
        (0, 6, 0),
        (2, 5, 0),
    ]


async def test_no_ranges_hold_no_events(connection: Connection, make_event: MakeEvent) -> None:
    event = make_event()
    await write_log(connection, event)
    assert await read_ranges(connection, {}, [event.command_id], [event.subject]) == []
    assert await read_ranges(connection, {0: (1000, 2000)}, [event.command_id], [event.subject]) == []


async def test_of_a_range_only_what_is_awaited_is_read(connection: Connection, make_event: MakeEvent) -> None:
    # Given
    by_command = make_event(position=Position(1, 0))
    by_subject = make_event(position=Position(2, 0), command_id=UUID(int=2), subject="steps/awaited")
    other = make_event(position=Position(3, 0), command_id=UUID(int=3), subject="steps/other")
    await write_log(connection, by_command, by_subject, other)
    # When
    found = await read_ranges(connection, {0: (0, 9)}, [by_command.command_id], ["steps/awaited"])
    # Then
    assert found == [by_command, by_subject]


@pytest.mark.parametrize(
    ("behind", "limit", "places"),
    [
        (Position(-1, -1), 10, ["1.0", "2.0", "2.1", "10.0"]),
        (Position(1, 0), 10, ["2.0", "2.1", "10.0"]),
        (Position(2, 0), 10, ["2.1", "10.0"]),
        (Position(2, 99), 10, ["10.0"]),
        (Position(5, 0), 10, ["10.0"]),
        (Position(10, 0), 10, []),
        (Position(-1, -1), 2, ["1.0", "2.0"]),
        (Position(1, 0), 1, ["2.0"]),
    ],
)
async def test_what_stands_behind_a_position_is_read_up_to_a_limit(
    connection: Connection, make_event: MakeEvent, behind: Position, limit: int, places: list[str]
) -> None:
    # Given
    ours = [make_event(position=Position.parse(place)) for place in ("10.0", "2.1", "2.0", "1.0")]
    await write_log(connection, *ours, make_event(partition=1, position=Position(3, 0)))
    # When
    found = await read_after(connection, 0, behind, limit)
    # Then
    assert [str(event.position) for event in found] == places


async def test_a_result_is_found_with_its_fingerprint(connection: Connection, make_event: MakeEvent) -> None:
    # Given
    first = make_event(position=Position(7, 0), is_result=False)
    result = make_event(position=Position(7, 1), command_id=first.command_id)
    await write_log(connection, first, result)
    await take_id(connection, result, b"what was asked")
    # When
    decided = await read_result(connection, "lab", result.command_id)
    # Then
    assert decided == (result, b"what was asked")


async def test_a_result_is_found_in_its_own_environment_only(connection: Connection, make_event: MakeEvent) -> None:
    result = make_event()
    await write_log(connection, result)
    await take_id(connection, result, b"")
    assert await read_result(connection, "shop", result.command_id) is None


async def test_a_command_that_is_not_decided_has_no_result(connection: Connection, make_event: MakeEvent) -> None:
    assert await read_result(connection, "lab", make_event().command_id) is None


async def history(connection: Connection, after: int = 0, **options: Any) -> Span:
    wanted: dict[str, Any] = {"types": None, "subject": "", "pipeline": None, "row_limit": 100, "byte_limit": 10_000}
    return await read_history(connection, "lab", after, **(wanted | options))


async def test_a_history_is_that_of_one_environment_in_its_order(connection: Connection, make_event: MakeEvent) -> None:
    events = [make_event(sequence=sequence) for sequence in (3, 1, 2)]
    await write_log(connection, *events, make_event(environment="shop"), make_event(sequence=None))
    span = await history(connection, after=1)
    assert ([event.sequence for event in span.events], span.covered) == ([2, 3], 3)
    assert await history(connection, after=3) == Span([], 3, 4)


async def test_a_piece_of_a_history_is_bounded_by_rows_and_by_the_bytes_of_what_is_wanted(
    connection: Connection, make_event: MakeEvent
) -> None:
    events = [make_event(subject=f"steps/s{number % 2}", data=f'"{"x" * 98}"') for number in range(6)]
    await write_log(connection, *events)

    async def found(**options: Any) -> tuple[list[int | None], int]:
        span = await history(connection, **options)
        return [event.sequence for event in span.events], span.covered

    assert await found(row_limit=4) == ([1, 2, 3, 4], 4)
    assert await found(byte_limit=1) == ([1], 1)
    assert await found(byte_limit=200) == ([1, 2], 2)
    assert await found(byte_limit=201) == ([1, 2, 3], 3)
    assert await found(byte_limit=200, subject="steps/s1") == ([2, 4], 4)
    assert await found(row_limit=5, subject="steps/s1") == ([2, 4], 5)
    assert await found(types=["StepDeleted"]) == ([], 6)
    assert await found(types=["StepDeleted", "PipelineCreated"], subject="steps/s0") == ([1, 3, 5], 6)


async def test_the_history_of_a_pipeline_is_its_own_and_its_deployments(
    connection: Connection, make_event: MakeEvent
) -> None:
    # Given
    def deployed(event_type: str, pipeline: str) -> Event:
        data = json.dumps({"deployment": {"description": "a\0b", "pipeline_name": pipeline}})
        return make_event(type=event_type, subject="deployments/api", data=data)

    churn = 'churn "2"'
    await write_log(
        connection,
        make_event(subject=f"pipelines/{churn}"),
        make_event(subject=f"pipelines/{churn}-2"),
        make_event(subject=f"pipelines/{churn}", type="CommandRejected"),
        deployed("DeploymentCreated", churn),
        deployed("DeploymentCreated", "other"),
        deployed("EndpointTokenRenewed", churn),
        make_event(subject=f"steps/{churn}", type="StepCreated"),
        make_event(subject="deployments/api", type="CommandRejected", data='{"pipeline_name": "churn"}'),
        deployed("DeploymentDeleted", churn),
    )

    # When
    async def found(**options: Any) -> list[int | None]:
        return [event.sequence for event in (await history(connection, pipeline=churn, **options)).events]

    # Then
    assert await found() == [1, 3, 4, 6, 9]
    assert await found(types=["CommandRejected", "DeploymentCreated"]) == [3, 4]
    assert await found(subject="deployments/") == [4, 6, 9]


async def test_only_environments_that_are_asked_about_and_have_events_are_told(
    connection: Connection, make_event: MakeEvent
) -> None:
    events = [make_event(environment=each) for each in ("lab", "shop", "lab")]
    await write_log(connection, *events, make_event(environment="stray", sequence=None))
    assert await read_environments(connection, {0: (1, 4)}, ["lab", "none", "stray"]) == ["lab"]
    assert await read_environments(connection, {0: (3, 4)}, ["shop"]) == []
