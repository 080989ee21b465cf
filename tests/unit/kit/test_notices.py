"""The hint that a batch was committed."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.envelope import Event, Position
from services.kit.notices import MAX_PAYLOAD, decided_notice, read_notice

POSTGRES_LIMIT = 8000

Places = list[tuple[int, int]]


def events_at(places: Iterable[tuple[int, int]]) -> list[Event]:
    return [
        Event(
            partition=partition,
            position=Position(offset, 0),
            environment="lab",
            sequence=1,
            type="PipelineCreated",
            version=1,
            subject="pipelines/churn",
            command_id=None,  # type: ignore[arg-type] # a hint does not look at it
            command_source="/tests",
            is_result=True,
            actor="ada",
            time="2026-01-31T12:00:00.000Z",
            data="{}",
        )
        for partition, offset in places
    ]


@pytest.mark.parametrize(
    ("places", "payload"),
    [
        ([], "{}"),
        ([(0, 5)], '{"0":[5,5]}'),
        ([(0, 5), (0, 6), (0, 9)], '{"0":[5,9]}'),
        ([(0, 9), (0, 5)], '{"0":[5,9]}'),
        ([(1, 7), (0, 5), (1, 8)], '{"1":[7,8],"0":[5,5]}'),
    ],
)
def test_a_hint_merges_a_partitions_events_into_one_range(places: Places, payload: str) -> None:
    assert decided_notice(events_at(places)) == payload


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 2**63 - 1)), max_size=50))
def test_a_hint_covers_every_event_and_starts_and_ends_at_one(places: Places) -> None:
    ranges = read_notice(decided_notice(events_at(places)))
    assert set(ranges) == {partition for partition, _ in places}
    for partition, (first, last) in ranges.items():
        offsets = [offset for each, offset in places if each == partition]
        assert (first, last) == (min(offsets), max(offsets))


def test_a_hint_of_many_partitions_fits_into_a_notification() -> None:
    places = [(partition, 2**40 + partition) for partition in range(200)]
    payload = decided_notice(events_at(places))
    assert len(read_notice(payload)) == 200
    assert len(payload.encode()) <= MAX_PAYLOAD < POSTGRES_LIMIT


def test_a_hint_that_would_not_fit_says_nothing() -> None:
    payload = decided_notice(events_at((partition, 2**62) for partition in range(1000)))
    assert (payload, read_notice(payload)) == ("", {})
