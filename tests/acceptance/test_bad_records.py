"""Records that are no commands: kept as dead letters, refused where they have an id, and the partition goes on."""

import os
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from tests.acceptance.feed import data_of, name_of, text
from tests.acceptance.records import GOOD_VALUE, dead_letter, written
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant

YEAR_ONE_MS = -62_135_596_800_000
MIB_OF_NOISE = os.urandom(1024 * 1024)
REQUIRED = ("ce_specversion", "ce_type", "ce_source", "ce_environment")
OPTIONAL = ("content-type", "ce_subject", "ce_time", "ce_actor")


@dataclass(frozen=True)
class Bad:
    """What is wrong with a record that is right otherwise, and the code that it is refused with."""

    code: str
    value: bytes | None = GOOD_VALUE
    headers: dict[str, bytes | None] = field(default_factory=dict)


def with_value(code: str, value: bytes | None) -> Bad:
    return Bad(code, value)


def with_header(code: str, name: str, value: bytes | None) -> Bad:
    return Bad(code, headers={name: value})


def connections(value: bytes) -> bytes:
    return b'{"pipeline_name": "churn", "step_names": ["train"], "connections": [{"a": ' + value + b"}]}"


REFUSED = {
    "undecodable bytes": with_value("invalid_json", b"\xff\xfe\x00"),
    "a tombstone": with_value("invalid_json", None),
    "an empty value": with_value("invalid_json", b""),
    "1 MiB of noise": with_value("invalid_json", MIB_OF_NOISE),
    "a lone surrogate": with_value("invalid_json", b'{"pipeline_name": "\\ud800", "step_names": ["train"]}'),
    "NaN": with_value("invalid_json", connections(b"NaN")),
    "a number without end": with_value("invalid_body", connections(b"1e999")),
    "a number of 5000 digits": with_value("invalid_json", connections(b"1" * 5000)),
    "5000 levels": with_value("invalid_json", connections(b"[" * 5000 + b"]" * 5000)),
    "NUL in a name": with_value("invalid_name", b'{"pipeline_name": "a\\u0000", "step_names": ["train"]}'),
    "a list": with_value("invalid_body", b"[]"),
    "a missing field": with_value("invalid_body", b'{"pipeline_name": "churn"}'),
    "a wrong type": with_value("invalid_body", b'{"pipeline_name": "churn", "step_names": "train"}'),
    "an unknown type": with_header("unknown_type", "ce_type", b"pipeloom.PipelineRenamed.v1"),
    "a type of other people": with_header("unknown_type", "ce_type", b"com.example.created"),
    "a result for a command": with_header("unknown_type", "ce_type", b"pipeloom.PipelineCreated.v1"),
    "an unknown version": with_header("unknown_version", "ce_type", b"pipeloom.PipelineRequested.v2"),
    "another specification": with_header("invalid_attribute", "ce_specversion", b"0.3"),
    "a time that is none": with_header("invalid_attribute", "ce_time", b"yesterday"),
    "the first moment of all": with_header("invalid_attribute", "ce_time", b"0001-01-01T00:00:00Z"),
    "the last moment of all": with_header("invalid_attribute", "ce_time", b"9999-12-31T23:59:59.999999Z"),
    "a time without a zone": with_header("invalid_attribute", "ce_time", b"2026-01-31T12:00:00"),
    "a source that is not UTF-8": with_header("missing_attribute", "ce_source", b"\xff"),
    "a type with NUL": with_header("missing_attribute", "ce_type", b"pipeloom.\x00.v1"),
    **{f"no {name}": with_header("missing_attribute", name, None) for name in REQUIRED},
}
WITHOUT_AN_ID = {
    "no ce_id": with_header("missing_attribute", "ce_id", None),
    "an id that is no UUID": with_header("invalid_attribute", "ce_id", b"7"),
    "an id that is not UTF-8": with_header("missing_attribute", "ce_id", b"\xff"),
    "noise without headers": Bad("missing_attribute", MIB_OF_NOISE, dict.fromkeys(("ce_id", *REQUIRED, *OPTIONAL))),
}
TAKEN: dict[str, dict[str, bytes | None]] = {
    **{f"no {name}": {name: None} for name in OPTIONAL},
    "an actor that is not UTF-8": {"ce_actor": b"\xff"},
    "a subject with NUL": {"ce_subject": b"a\x00b"},
    "headers of other people": {"x-noise": b"\xff" * 1000, "ce_unknown": b"1"},
    "a time in another zone": {"ce_time": b"2026-01-31T12:00:00.5+05:30"},
    "a time far ahead": {"ce_time": b"9998-12-31T23:59:59Z"},
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
async def test_a_bad_record_is_refused_once_and_kept_with_its_bytes(tenant: Tenant, stack: Stack, bad: Bad) -> None:
    command_id = uuid4()

    record = await tenant.put(bad.value, written(tenant, command_id, bad.headers))

    (refused,) = await tenant.history()
    assert (name_of(refused), data_of(refused)["code"]) == ("CommandRejected", bad.code)
    assert (text(refused, "ce_commandid"), text(refused, "ce_result")) == (str(command_id), "true")
    assert data_of(refused)["message"].endswith(".")
    kept = {"code": bad.code, "record_key": tenant.environment.encode(), "record_value": bad.value}
    assert await dead_letter(stack, record) == kept


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
async def test_a_bad_record_twice_is_refused_once(tenant: Tenant, bad: Bad) -> None:
    command_id = uuid4()

    for _ in range(2):
        await tenant.put(bad.value, written(tenant, command_id, bad.headers))

    assert [name_of(each) for each in await tenant.history()] == ["CommandRejected"]


@pytest.mark.parametrize("bad", WITHOUT_AN_ID.values(), ids=WITHOUT_AN_ID)
async def test_a_record_without_an_id_is_kept_and_nothing_is_told(tenant: Tenant, stack: Stack, bad: Bad) -> None:
    record = await tenant.put(bad.value, written(tenant, uuid4(), bad.headers))

    assert await tenant.history() == []
    kept = {"code": bad.code, "record_key": tenant.environment.encode(), "record_value": bad.value}
    assert await dead_letter(stack, record) == kept


@pytest.mark.parametrize("changes", TAKEN.values(), ids=TAKEN)
async def test_what_a_producer_may_leave_out_or_get_wrong_does_no_harm(
    tenant: Tenant, stack: Stack, step: str, changes: dict[str, bytes | None]
) -> None:
    command_id = uuid4()

    record = await tenant.put(GOOD_VALUE, written(tenant, command_id, changes))

    result = await tenant.result(command_id)
    assert (name_of(result), data_of(result)["pipeline"]["step_names"]) == ("PipelineCreated", [step])
    assert await dead_letter(stack, record) is None


@pytest.mark.parametrize("value", [GOOD_VALUE, None])
async def test_a_record_as_old_as_the_calendar_does_no_harm(tenant: Tenant, value: bytes | None) -> None:
    command_id = uuid4()

    await tenant.put(value, written(tenant, command_id, {"ce_time": None}), timestamp_ms=YEAR_ONE_MS)

    assert text(await tenant.result(command_id), "ce_result") == "true"
    assert (await tenant.http.get(f"/commands/{command_id}")).status_code == 200


async def test_the_reason_of_a_bad_record_can_be_asked_over_http(tenant: Tenant) -> None:
    command_id = uuid4()
    await tenant.put(b"noise", written(tenant, command_id, {}))

    told = (await tenant.http.get(f"/commands/{command_id}", params={"wait": 20})).json()

    assert (told["status"], told["refusal"]["code"]) == ("rejected", "invalid_json")


@pytest.mark.usefixtures("step")
async def test_nul_in_a_text_is_kept_and_read_back(tenant: Tenant) -> None:
    body = tenant.step_body("nul", description="a\x00b", inputs=[])

    created = await tenant.http.post("/steps", json=body)
    read = await tenant.http.get("/steps/nul")

    assert (created.status_code, read.json()["parameters"]["description"]) == (206, "a\x00b")
