"""A CloudEvent as one JSON document."""

import base64
import json
from typing import Any

import pytest

from events.codec import MAX_ATTRIBUTE_LENGTH, encode_command, event_attributes, read_attributes
from events.refusals import Code, Refused
from events.structured import attributes_and_data, event_as_json

from .conftest import MakeCommand, MakeEvent

STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


@pytest.mark.parametrize("change", [{}, {"traceparent": "00-1-2-01"}, {"actor": 'Ünï "😀" \u2028'}], ids=str)
def test_it_has_the_attributes_of_the_record_and_the_data(make_event: MakeEvent, change: dict[str, str]) -> None:
    event = make_event(**change)
    told = json.loads(event_as_json(event))
    attributes = {name: text for name, text in event_attributes(event).items() if text is not None}
    assert told == {
        **attributes,
        "result": event.is_result,
        "datacontenttype": "application/json",
        "data": json.loads(event.data),
    }


def test_it_is_one_line_whatever_an_attribute_holds(make_event: MakeEvent) -> None:
    assert not {"\n", "\r"} & set(event_as_json(make_event(actor="a\nb\rc")))


def read(document: Any) -> tuple[dict[str, str], bytes | None]:
    return attributes_and_data(STRUCTURED, json.dumps(document).encode())


@pytest.mark.parametrize("header", ["content-type", "Content-Type"])
def test_a_record_that_is_one_document_says_what_headers_and_value_say(make_command: MakeCommand, header: str) -> None:
    record = encode_command(make_command())
    attributes = read_attributes(record.headers)
    document = {**attributes, "datacontenttype": "application/json", "data": json.loads(record.value)}
    headers = [(header, b"application/CloudEvents+JSON")]
    told, data = attributes_and_data(headers, json.dumps(document).encode())
    assert told == {**attributes, "datacontenttype": "application/json"}
    assert json.loads(data or b"") == json.loads(record.value)


def test_a_record_in_binary_mode_is_read_as_it_stands(make_command: MakeCommand) -> None:
    record = encode_command(make_command())
    assert attributes_and_data(record.headers, record.value) == (read_attributes(record.headers), record.value)
    assert attributes_and_data([], None) == ({}, None)


def test_attributes_that_are_no_texts_are_read_as_headers_would_have_them() -> None:
    assert read({"a": True, "b": 7, "c": None, "d": 1.5, "e": [], "f": {}}) == ({"a": "true", "b": "7"}, None)


@pytest.mark.parametrize("text", ["a\nb", "x" * (MAX_ATTRIBUTE_LENGTH + 1)], ids=["control", "long"])
def test_an_attribute_that_no_header_could_carry_is_left_out(text: str) -> None:
    assert read({"source": text, "id": "1"}) == ({"id": "1"}, None)


def test_data_may_come_as_base64() -> None:
    assert read({"data_base64": base64.b64encode(b"[1]").decode()}) == ({}, b"[1]")


@pytest.mark.parametrize("given", ["*", 7, None])
def test_what_is_no_base64_is_refused(given: Any) -> None:
    with pytest.raises(Refused, match="no base64") as caught:
        read({"data_base64": given})
    assert caught.value.code is Code.INVALID_JSON


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_object_is_no_cloud_event(value: bytes | None) -> None:
    with pytest.raises(Refused) as caught:
        attributes_and_data(STRUCTURED, value)
    assert caught.value.code is Code.INVALID_JSON


@pytest.mark.parametrize(
    "given", [b"application/cloudevents-batch+json", b"application/cloudevents+avro", b"application/cloudevents\xff"]
)
def test_a_batch_or_another_format_is_refused_with_what_to_send(given: bytes) -> None:
    with pytest.raises(
        Refused, match=r"Send a CloudEvent in binary mode, or one in application/cloudevents\+json"
    ) as it:
        attributes_and_data([("content-type", given)], b"{}")
    assert it.value.code is Code.UNSUPPORTED_MEDIA_TYPE
