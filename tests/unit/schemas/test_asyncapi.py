"""The checked-in AsyncAPI document."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from events import asyncapi_messages
from events.activity import ACTIVITY
from events.asyncapi import CHANNELS, DOCUMENT, asyncapi_document
from events.asyncapi_messages import payloads
from events.codec import decode_command, decode_event, read_attributes
from events.headers import COMMAND_HEADERS, Header
from events.message_examples import record_examples
from events.model import Versioned
from events.refusals import Refused
from events.results import RESULTS
from events.schemas import as_text
from events.topics import COMMANDS_TOPIC, TOPICS

OFFICIAL = Path(__file__).parent / "vendored" / "asyncapi-3.0.0.json"
MADE = asyncapi_document()
MESSAGES: dict[str, dict[str, Any]] = MADE["components"]["messages"]
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(below)


def _at(reference: str) -> Any:
    place: Any = MADE
    for key in reference.removeprefix("#/").split("/"):
        place = place[key]
    return place


def _faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Return what in `value` does not fit a schema that refers to others in the document."""
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": MADE["components"]}, validate_formats=True)
    return [str(error) for error in validator.iter_errors(value)]


def test_the_checked_in_document_is_what_the_models_give() -> None:
    assert DOCUMENT.read_text() == as_text(MADE), (
        "the contract has changed; run `make schemas` and commit what it writes"
    )


def test_the_document_is_asyncapi_as_asyncapi_itself_says() -> None:
    official = jsonschema_rs.Draft7Validator(json.loads(OFFICIAL.read_text()))
    assert [str(error) for error in official.iter_errors(MADE)] == []
    assert not official.is_valid({**MADE, "channels": {"events": {"adress": "pipeloom.events"}}})


def test_every_reference_leads_to_something_in_the_document() -> None:
    references = {node["$ref"] for node in _nodes(MADE) if isinstance(node.get("$ref"), str)}
    assert references
    assert all(_at(reference) is not None for reference in references)


def test_there_is_a_channel_for_every_topic_and_a_message_for_every_type() -> None:
    assert set(MADE["channels"]) == set(CHANNELS) == {topic.suffix for topic in TOPICS}
    assert {message["title"] for message in MESSAGES.values()} == {name for topic in TOPICS for name in topic.types}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.suffix)
def test_a_channel_tells_key_partitions_retention_and_the_largest_record(topic: Any) -> None:
    channel = MADE["channels"][topic.suffix]
    configured = channel["bindings"]["kafka"]["topicConfiguration"]
    assert channel["address"].format(prefix="lab") == topic.name("lab")
    assert (configured["retention.ms"], configured["max.message.bytes"]) == (
        topic.retention_ms,
        topic.max_message_bytes,
    )
    assert channel["bindings"]["kafka"]["partitions"] > 0
    keys = [_at(each["$ref"])["bindings"]["kafka"]["key"] for each in channel["messages"].values()]
    assert {key["description"] for key in keys} == {"The environment id"}


def test_each_direction_is_told_as_seen_from_us() -> None:
    assert {name: each["action"] for name, each in MADE["operations"].items()} == {
        "receive-commands": "receive",
        "send-events": "send",
        "send-activity": "send",
    }
    assert MADE["operations"]["receive-commands"]["reply"]["channel"] == {"$ref": "#/channels/events"}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_words_and_an_example_that_fits_it(name: str) -> None:
    message = MESSAGES[name]
    assert message["summary"]
    assert message["contentType"] == "application/json"
    (example,) = message["examples"]
    assert _faults(message["headers"], example["headers"]) == []
    assert _faults(message["payload"], example["payload"]) == []
    assert _faults(message["headers"], {**example["headers"], "ce_type": "pipeloom.Other.v1"})
    assert _faults(message["payload"], {})


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_a_record_as_the_codec_reads_it(name: str) -> None:
    message = MESSAGES[name]
    headers = [(key, text.encode()) for key, text in message["examples"][0]["headers"].items()]
    value = json.dumps(message["examples"][0]["payload"]).encode()
    if message["title"] in COMMANDS_TOPIC.types:
        assert decode_command(read_attributes(headers), value, NOW).type == message["title"]
    elif message["title"] in ACTIVITY:
        assert ACTIVITY[message["title"]].model_validate_json(value).subject() == read_attributes(headers)["subject"]
    else:
        event = decode_event(0, headers, value)
        assert RESULTS[event.type].model_validate_json(event.data).subject() == event.subject


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.suffix)
def test_every_header_that_is_written_is_told(topic: Any) -> None:
    told = {each.name for each in CHANNELS[topic.suffix].headers}
    assert {name for each in topic.types for name, _ in record_examples()[each].headers} == told


@pytest.mark.parametrize("header", COMMAND_HEADERS, ids=lambda header: header.name)
def test_a_command_needs_the_headers_that_are_called_required_and_no_others(header: Header) -> None:
    record = record_examples()["PipelineRequested"]
    attributes = read_attributes([(name, raw) for name, raw in record.headers if name != header.name])
    if header.is_required:
        with pytest.raises(Refused, match=header.name):
            decode_command(attributes, record.value, NOW)
    else:
        assert decode_command(attributes, record.value, NOW).type == "PipelineRequested"


def test_two_models_of_one_name_that_differ_are_not_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Step(Versioned):
        size: int

    class Weighed(Versioned):
        step: Step

    monkeypatch.setattr(asyncapi_messages, "TOPICS", (*TOPICS, COMMANDS_TOPIC.__class__("odd", {"W": Weighed}, 1, 1)))
    with pytest.raises(ValueError, match="two models are called Step"):
        payloads()
