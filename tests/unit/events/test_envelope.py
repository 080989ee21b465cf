"""Types, times, positions and fingerprints."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.codec import decode_data
from events.commands import (
    DeploymentDeleteRequested,
    DeploymentRequested,
    EndpointTokenRequested,
    PipelineDeleteRequested,
    StepRequested,
)
from events.envelope import Command, Position, parse_type, timestamp, type_attribute

from .conftest import COMMAND_ID, MakeCommand, MakeEvent

POSITIONS = st.builds(Position, st.integers(0, 2**63 - 1), st.integers(0, 10**9 - 1))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=3),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3),
    max_leaves=5,
)


def test_a_type_attribute_names_the_type_and_its_version() -> None:
    assert type_attribute("PipelineRequested", 2) == "pipeloom.PipelineRequested.v2"
    assert parse_type("pipeloom.PipelineRequested.v2") == ("PipelineRequested", 2)


@pytest.mark.parametrize(
    "attribute",
    [
        "",
        "PipelineRequested",
        "pipeloom.PipelineRequested",
        "pipeloom.PipelineRequested.v",
        "pipeloom.PipelineRequested.v-1",
        "pipeloom.PipelineRequested.v12345",
        "pipeloom..v1",
        "pipeloom.Pipeline2.v1",
        "pipeloomxPipelineRequested.v1",
        "other.PipelineRequested.v1",
        "pipeloom.PipelineRequested.v1\n",
        "pipeloom.PipelineRequested.v1 ",
    ],
)
def test_a_foreign_type_attribute_is_not_ours(attribute: str) -> None:
    assert parse_type(attribute) is None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 999_999, UTC), "2026-01-31T12:00:00.999Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T10:00:00.000Z"),
        (datetime(2026, 1, 31, 23, tzinfo=timezone(timedelta(hours=-5, minutes=-30))), "2026-02-01T04:30:00.000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_timestamp_is_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text


def test_a_moment_without_a_time_zone_has_no_timestamp() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        timestamp(datetime(2026, 1, 31))  # noqa: DTZ001 - that is the point


@settings(derandomize=True, deadline=None)
@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=2))
def test_timestamps_sort_as_their_moments_do(moments: list[datetime]) -> None:
    earlier, later = sorted(moments)
    assert timestamp(earlier) <= timestamp(later)


@settings(derandomize=True, deadline=None)
@given(POSITIONS)
def test_a_position_is_read_as_it_was_written(position: Position) -> None:
    assert Position.parse(str(position)) == position


@settings(derandomize=True, deadline=None)
@given(POSITIONS, POSITIONS)
def test_positions_are_ordered_by_offset_and_then_by_index(one: Position, other: Position) -> None:
    assert (one < other) == ((one.offset, one.index) < (other.offset, other.index))


def test_positions_are_not_ordered_as_their_texts_are() -> None:
    assert Position(9, 0) < Position(10, 0)
    assert Position(1, 9) < Position(1, 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.",
        ".1",
        "1.2.3",
        "1.2\n",
        "٣.0",
        "a.b",
        "1,2",
        "1_0.2",
        " 1.2",
        "-1.-1",
        "+1.2",
    ],
)
def test_what_is_no_position_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        Position.parse(text)


def test_an_event_id_is_the_command_and_the_place_under_it(make_event: MakeEvent) -> None:
    assert make_event(position=Position(41, 2)).id == f"{COMMAND_ID}.2"


def test_an_event_id_does_not_depend_on_where_the_command_stood(make_event: MakeEvent) -> None:
    first, replayed = make_event(position=Position(41, 0)), make_event(partition=0, position=Position(99, 0))
    assert first.id == replayed.id


@pytest.mark.parametrize(
    "change",
    [{"id": uuid4()}, {"actor": "bob"}, {"source": "/other"}, {"time": "2030-01-01T00:00:00.000Z"}],
    ids=lambda change: next(iter(change)),
)
def test_a_repeat_has_the_same_fingerprint_whoever_sends_it_and_when(
    make_command: MakeCommand, change: dict[str, Any]
) -> None:
    assert make_command(**change).fingerprint() == make_command().fingerprint()


def test_a_fingerprint_is_what_inboxes_hold_of_it(make_command: MakeCommand) -> None:
    # With another one, a repeat of any command that was decided before an upgrade would be refused.
    pinned = "142b9b2e3dc077c351f7752789854a729acf88295152848da16eecd830e6cb39"
    assert make_command().fingerprint().hex() == pinned


@settings(derandomize=True, deadline=None)
@given(JSON_VALUES, JSON_VALUES)
def test_only_equal_data_has_an_equal_fingerprint(one: Any, other: Any) -> None:
    # Python takes True for 1; their JSON differs.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    if not same:
        assert _fingerprint({"x": one}) != _fingerprint({"x": other})
    assert _fingerprint({"x": one}) == _fingerprint({"x": json.loads(json.dumps(one))})


def test_the_order_of_an_objects_keys_does_not_change_the_fingerprint() -> None:
    assert _fingerprint({"a": 1, "b": 2}) == _fingerprint({"b": 2, "a": 1})


def test_a_default_that_is_spelt_out_does_not_change_the_fingerprint(make_command: MakeCommand) -> None:
    terse = decode_data(PipelineDeleteRequested, b'{"pipeline_name": "churn"}')
    spelt = decode_data(
        PipelineDeleteRequested,
        b'{"expected_version": null, "force_deployments_deletion": false, "pipeline_name": "churn", "unknown": 1}',
    )
    assert make_command(data=terse).fingerprint() == make_command(data=spelt).fingerprint()


OLD_KEY, NEW_KEY = "0a" * 32, "0b" * 32


def test_a_repeat_may_derive_its_endpoint_token_from_another_key(make_command: MakeCommand) -> None:
    def asked(token_hash: str, name: str = "live") -> bytes:
        data = DeploymentRequested(
            name=name, pipeline_name="churn", execution_rule="endpoint", endpoint_token_hash=token_hash
        )
        return make_command(data=data).fingerprint()

    assert asked(OLD_KEY) == asked(NEW_KEY)
    assert asked(OLD_KEY) != asked(OLD_KEY, "another")


def test_so_may_a_repeat_that_renews_a_token(make_command: MakeCommand) -> None:
    old, new = (EndpointTokenRequested(name="live", endpoint_token_hash=key) for key in (OLD_KEY, NEW_KEY))
    assert make_command(data=old).fingerprint() == make_command(data=new).fingerprint()


def test_another_version_of_a_command_has_another_fingerprint(
    make_command: MakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = make_command(data=DeploymentDeleteRequested(name="d"))
    first = command.fingerprint()
    monkeypatch.setattr(DeploymentDeleteRequested, "version", 2)
    assert command.fingerprint() != first


def _fingerprint(config: dict[str, Any]) -> bytes:
    data = StepRequested(step_name="s", function_path="a.py", function_name="f", container_config=config)
    return Command(COMMAND_ID, "lab", "ada", "/tests", "2026-01-31T12:00:00.000Z", data).fingerprint()
