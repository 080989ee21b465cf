"""Records that are no commands, and what is told of them."""

from datetime import UTC, datetime
from typing import Any

import pydantic_core
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.codec import MAX_ATTRIBUTE_LENGTH, decode_command, decode_data, encode_command, read_attributes
from events.commands import COMMANDS, CommandData, PipelineRequested
from events.refusals import Code, Refused

from .conftest import MakeCommand

RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)
STEP = '{"step_name": "s", "function_path": "a.py", "function_name": "f", "container_config": {"x": %s}}'


def refusal(attributes: dict[str, str], value: bytes | None) -> Refused:
    with pytest.raises(Refused) as caught:
        decode_command(attributes, value, RECEIVED)
    return caught.value


@pytest.mark.parametrize("name", ["id", "environment", "specversion", "source", "type"])
def test_a_missing_attribute_is_named(attributes: dict[str, str], value: bytes, name: str) -> None:
    del attributes[name]
    refused = refusal(attributes, value)
    assert (refused.code, refused.details) == (Code.MISSING_ATTRIBUTE, {"field": name})
    assert refused.message.startswith(f"The header ce_{name} is missing or not readable; it must be ")


@pytest.mark.parametrize("name", ["id", "environment", "specversion", "source", "type"])
@pytest.mark.parametrize(
    "raw", [b"\xff", b"\x00", b"x" * (MAX_ATTRIBUTE_LENGTH + 1), None], ids=["not utf-8", "control", "long", "null"]
)
def test_an_unreadable_attribute_is_a_missing_one(make_command: MakeCommand, name: str, raw: Any) -> None:
    record = encode_command(make_command())
    headers = [(key, raw if key == f"ce_{name}" else given) for key, given in record.headers]
    refused = refusal(read_attributes(headers), record.value)
    assert (refused.code, refused.details) == (Code.MISSING_ATTRIBUTE, {"field": name})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("id", "17"),
        ("id", ""),
        ("id", "0192f6a0-0000-7000-8000-00000000000g"),
        ("environment", ""),
        ("environment", "Lab"),
        ("environment", "a" * 64),
        ("specversion", "0.3"),
        ("specversion", ""),
        ("source", ""),
        ("time", ""),
        ("time", "yesterday"),
        ("time", "2026-01-31T12:00:00"),
        ("time", "2026-01-31"),
        ("time", "2026-13-01T00:00:00Z"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("time", "1969-12-31T23:59:59.999Z"),
        ("time", "9999-01-01T00:00:00Z"),
        ("time", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_an_invalid_attribute_is_named_with_its_value(
    attributes: dict[str, str], value: bytes, name: str, given: str
) -> None:
    attributes[name] = given
    refused = refusal(attributes, value)
    assert (refused.code, refused.details) == (Code.INVALID_ATTRIBUTE, {"field": name})
    assert refused.message.startswith(f"The header ce_{name} is '{given}'; it must be ")


@pytest.mark.parametrize(
    "given",
    ["", "PipelineRequested", "pipeloom.Nothing.v1", "pipeloom.PipelineCreated.v1", "pipeloom.PipelineRequested"],
)
def test_an_unknown_type_is_told_with_the_known_ones(attributes: dict[str, str], value: bytes, given: str) -> None:
    attributes["type"] = given
    refused = refusal(attributes, value)
    assert refused.code is Code.UNKNOWN_TYPE
    assert f"no command type '{given}'" in refused.message
    assert all(known in refused.message for known in COMMANDS)


@pytest.mark.parametrize("version", [0, 2, 9999])
def test_an_unknown_version_is_told_with_the_known_one(attributes: dict[str, str], value: bytes, version: int) -> None:
    attributes["type"] = f"pipeloom.PipelineRequested.v{version}"
    refused = refusal(attributes, value)
    assert refused.code is Code.UNKNOWN_VERSION
    assert refused.message == f"Version {version} of PipelineRequested is not known; send version 1."


@pytest.mark.parametrize("value", [None, b""], ids=["tombstone", "empty"])
def test_a_record_without_a_value_is_refused(attributes: dict[str, str], value: bytes | None) -> None:
    refused = refusal(attributes, value)
    assert refused.code is Code.INVALID_JSON
    assert "no value" in refused.message


@pytest.mark.parametrize(
    "raw",
    ["NaN", "Infinity", "-Infinity", r'"\ud800"', r'"\udc00\ud800"', "1" * 5000, "[" * 1000 + "]" * 1000, "[" * 1000],
    ids=lambda raw: raw[:12],
)
def test_a_value_that_json_has_not_is_refused(attributes: dict[str, str], raw: str) -> None:
    attributes["type"] = "pipeloom.StepRequested.v1"
    refused = refusal(attributes, (STEP % raw).encode())
    assert refused.code is Code.INVALID_JSON
    assert refused.message.startswith("This is not JSON: ")


@pytest.mark.parametrize(
    "value",
    [b"{", b"{}x", b"\xff\xfe", b"{'a': 1}", b"\x00", b"nothing", b'{"pipeline_name": "a\nb"}', b"\xef\xbb\xbf{}"],
)
def test_bytes_that_are_not_json_are_refused(attributes: dict[str, str], value: bytes) -> None:
    assert refusal(attributes, value).code is Code.INVALID_JSON


@pytest.mark.parametrize("raw", ["1e999", "-1e999", "[1e999]", '{"y": 1e999}'])
def test_a_number_that_no_float_holds_is_refused(attributes: dict[str, str], raw: str) -> None:
    attributes["type"] = "pipeloom.StepRequested.v1"
    refused = refusal(attributes, (STEP % raw).encode())
    assert refused.code is Code.INVALID_BODY
    assert "finite number" in refused.message


@pytest.mark.parametrize("value", [b"null", b"1", b'"text"', b"[]", b"true"])
def test_data_that_is_no_object_is_refused(attributes: dict[str, str], value: bytes) -> None:
    refused = refusal(attributes, value)
    assert refused.code is Code.INVALID_BODY
    assert refused.message.startswith("body: ")


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        (b'{"step_names": ["s"]}', Code.INVALID_BODY, "pipeline_name"),
        (b'{"pipeline_name": "p"}', Code.INVALID_BODY, "step_names"),
        (b'{"pipeline_name": 1, "step_names": ["s"]}', Code.INVALID_NAME, "pipeline_name"),
        (b'{"pipeline_name": null, "step_names": ["s"]}', Code.INVALID_NAME, "pipeline_name"),
        (b'{"pipeline_name": "p", "step_names": "s"}', Code.INVALID_BODY, "step_names"),
        (b'{"pipeline_name": "p", "step_names": {"0": "s"}}', Code.INVALID_BODY, "step_names"),
        (b'{"pipeline_name": "p", "step_names": ["s", 1]}', Code.INVALID_NAME, "step_names.1"),
        (b'{"pipeline_name": "a/b", "step_names": ["s"]}', Code.INVALID_NAME, "pipeline_name"),
        (b'{"pipeline_name": "p", "step_names": [".."]}', Code.INVALID_NAME, "step_names.0"),
    ],
)
def test_a_wrong_field_is_named(attributes: dict[str, str], value: bytes, code: Code, field: str) -> None:
    refused = refusal(attributes, value)
    told: Any = refused.details["fields"]
    assert (refused.code, [each["field"] for each in told]) == (code, [field])
    assert refused.message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "value",
    [
        b'{"pipeline_name": "p", "force_deployments_deletion": "True"}',
        b'{"pipeline_name": "p", "force_deployments_deletion": 1}',
        b'{"pipeline_name": "p", "force_deployments_deletion": null}',
        b'{"pipeline_name": "p", "expected_version": "17"}',
        b'{"pipeline_name": "p", "expected_version": 17.0}',
        b'{"pipeline_name": "p", "expected_version": true}',
    ],
)
def test_a_value_of_another_type_is_not_converted(attributes: dict[str, str], value: bytes) -> None:
    attributes["type"] = "pipeloom.PipelineDeleteRequested.v1"
    assert refusal(attributes, value).code is Code.INVALID_BODY


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "environment", "specversion", "source", "type", "time"]), st.text()))
def test_no_attributes_whatever_break_the_decoder(attributes: dict[str, str]) -> None:
    with pytest.raises(Refused):
        decode_command(attributes, b"{}", RECEIVED)


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_break_the_decoder(value: bytes) -> None:
    with pytest.raises(Refused):
        decode_data(PipelineRequested, value)


FIELDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=4,
)


def decoded(model: type[CommandData], fields: Any) -> tuple[CommandData | None, Code | None]:
    try:
        return decode_data(model, pydantic_core.to_json(fields)), None
    except Refused as refused:
        return None, refused.code


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sampled_from(sorted(COMMANDS)), st.data())
def test_json_of_any_shape_is_a_command_or_refused(name: str, draw: st.DataObject) -> None:
    model = COMMANDS[name]
    fields = draw.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(model.model_fields, FIELDS)))
    data, code = decoded(model, fields)
    if data is None:
        assert code in {Code.INVALID_BODY, Code.INVALID_NAME}
    else:
        assert decode_data(model, data.model_dump_json().encode()) == data
