"""An event that the relay writes is the event that a consumer reads."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.codec import decode_event, encode_event, read_attributes
from events.envelope import Event, Position
from events.names import why_unaddressable
from events.results import RESULTS
from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC

from .conftest import COMMAND_ID, MakeEvent

NAMES = st.text(min_size=1, max_size=255).filter(lambda name: why_unaddressable(name) is None)


def read_back(event: Event) -> Event:
    record = encode_event(event)
    return decode_event(event.partition, record.headers, record.value)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"position": Position(2**62, 12_345)},
        {"sequence": None},
        {"sequence": 2**62},
        {"version": 12},
        {"is_result": False},
        {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        {"actor": "Ünïcode 😀"},
        {"data": '{"text":"é😀\\u0000"}'},
    ],
)
def test_an_event_is_read_as_it_was_written(make_event: MakeEvent, change: dict[str, Any]) -> None:
    event = make_event(**change)
    assert read_back(event) == event


@pytest.mark.parametrize("name", RESULTS)
def test_an_event_of_every_type_is_read_as_it_was_written(make_event: MakeEvent, name: str) -> None:
    assert read_back(make_event(type=name)).type == name


@settings(derandomize=True, deadline=None)
@given(NAMES)
def test_an_event_about_any_name_that_is_allowed_is_read_as_it_was_written(name: str) -> None:
    event = _event_about(f"pipelines/{name}")
    assert read_back(event) == event


@pytest.mark.parametrize(
    "name",
    [
        "é" * 255,
        "a b",
        "a" * 255,
        "two\u00a0words",
        "👩\u200d💻",
        "\ufffd",
        "😀" * 255,
    ],
)
def test_an_event_about_an_unusual_name_is_read_as_it_was_written(name: str) -> None:
    event = _event_about(f"pipelines/{name}")
    assert read_back(event) == event


def test_an_event_travels_as_a_cloud_event_in_binary_mode(make_event: MakeEvent) -> None:
    record = encode_event(make_event(traceparent="00-trace"))

    assert (record.key, record.value) == (b"lab", b'{"pipeline":{}}')
    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": f"{COMMAND_ID}.0".encode(),
        "ce_type": b"pipeloom.PipelineCreated.v1",
        "ce_dataschema": b"pipeloom:/schemas/events/PipelineCreated.v1.json",
        "ce_source": b"/pipeloom/environments/lab",
        "ce_subject": b"pipelines/churn",
        "ce_time": b"2026-01-31T12:00:00.000Z",
        "ce_environment": b"lab",
        "ce_actor": b"ada",
        "ce_commandid": str(COMMAND_ID).encode(),
        "ce_commandsource": b"/tests",
        "ce_sequence": b"7",
        "ce_position": b"41.0",
        "ce_result": b"true",
        "ce_traceparent": b"00-trace",
    }


def test_an_event_that_is_no_result_says_so(make_event: MakeEvent) -> None:
    assert read_attributes(encode_event(make_event(is_result=False)).headers)["result"] == "false"


def test_an_event_without_a_place_in_the_history_has_no_sequence(make_event: MakeEvent) -> None:
    assert "sequence" not in read_attributes(encode_event(make_event(sequence=None)).headers)


@pytest.mark.parametrize(
    "name",
    ["type", "position", "environment", "subject", "commandid", "commandsource", "result", "actor", "time"],
)
def test_a_record_without_one_of_its_attributes_is_no_event(make_event: MakeEvent, name: str) -> None:
    record = encode_event(make_event())
    headers = [(key, raw) for key, raw in record.headers if key != f"ce_{name}"]
    with pytest.raises(ValueError, match=f"headers that every event of ours has: ce_{name}"):
        decode_event(0, headers, record.value)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("type", b"other.PipelineCreated.v1"),
        ("type", b"PipelineCreated"),
        ("position", b"41"),
        ("position", b"a.b"),
        ("commandid", b"17"),
        ("sequence", b"seven"),
    ],
)
def test_a_record_with_a_foreign_attribute_is_no_event(make_event: MakeEvent, name: str, raw: bytes) -> None:
    record = encode_event(make_event())
    headers = [(key, raw if key == f"ce_{name}" else given) for key, given in record.headers]
    with pytest.raises(ValueError, match=r".+"):
        decode_event(0, headers, record.value)


@pytest.mark.parametrize("headers", [[], [("content-type", b"text/plain")], [("ce_type", b"\xff")]])
def test_a_record_without_attributes_is_no_event(headers: Sequence[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError, match="ce_type"):
        decode_event(0, headers, b"{}")


@pytest.mark.parametrize(
    "value",
    [
        b"\xff",
        None,
    ],
    ids=["not utf-8", "tombstone"],
)
def test_a_record_without_a_readable_value_is_no_event(make_event: MakeEvent, value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_event(0, encode_event(make_event()).headers, value)


def test_every_type_is_on_exactly_one_topic() -> None:
    assert not set(COMMANDS_TOPIC.types) & set(EVENTS_TOPIC.types)
    assert set(EVENTS_TOPIC.types) == set(RESULTS)


def test_a_topic_is_named_after_its_installation() -> None:
    assert (COMMANDS_TOPIC.name("lab"), EVENTS_TOPIC.name("lab")) == ("lab.commands", "lab.events")


def _event_about(subject: str) -> Event:
    return Event(
        partition=0,
        position=Position(0, 0),
        environment="lab",
        sequence=1,
        type="PipelineCreated",
        version=1,
        subject=subject,
        command_id=COMMAND_ID,
        command_source="/tests",
        is_result=True,
        actor="ada",
        time="2026-01-31T12:00:00.000Z",
        data="{}",
    )
