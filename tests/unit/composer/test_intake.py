import json
from dataclasses import replace

import pytest

from events.codec import encode_command, read_attributes
from events.commands import PipelineRequested
from events.envelope import Command
from events.refusals import Code
from services.composer.intake import Received, Unusable, take_in
from services.kit.partitions import partition_of
from tests.unit.composer.world import ENVIRONMENT, command, received

PARTITIONS = 7
HOME = partition_of(ENVIRONMENT, PARTITIONS)
AWAY = (HOME + 1) % PARTITIONS
ASKED = command(PipelineRequested(pipeline_name="p", step_names=["s"]))


def record(partition: int = HOME, key: bytes | None = ENVIRONMENT.encode(), without: str = "") -> Received:
    encoded = encode_command(ASKED)
    headers = [(name, value) for name, value in encoded.headers if name != f"ce_{without}"]
    return replace(received(partition=partition), key=key, value=encoded.value, headers=headers)


def refused(given: Received) -> Unusable:
    taken = take_in(given, PARTITIONS)
    assert isinstance(taken, Unusable)
    return taken


def test_a_record_with_its_environments_key_on_its_partition_is_a_command() -> None:
    assert take_in(record(), PARTITIONS) == ASKED


def key_on(partition: int) -> bytes:
    return next(f"e{n}".encode() for n in range(1000) if partition_of(f"e{n}", PARTITIONS) == partition)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(record(partition=AWAY), id="another partition"),
        pytest.param(record(key=b"other"), id="another key"),
        pytest.param(record(key=key_on(HOME)), id="the key of an environment that lives on the same partition"),
        pytest.param(record(key=None), id="no key"),
        pytest.param(record(key=b"\xff\xfe"), id="a key that is no text"),
    ],
)
def test_a_record_that_does_not_belong_to_its_environment_is_misrouted_and_owned_by_nobody(given: Received) -> None:
    taken = refused(given)
    assert (taken.refusal.code, taken.environment, taken.command_id) == (Code.MISROUTED, None, ASKED.id)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (b"other", "its key 'other'"),
        (None, "its missing key"),
        (b"\xff\x00", "its unreadable key"),
        (b"a\nb", "its unreadable key"),
    ],
)
def test_a_misrouted_record_is_told_its_key_as_people_write_it(key: bytes | None, told: str) -> None:
    taken = refused(record(key=key))
    assert f"but {told} or its partition {HOME} is not that environment's" in taken.refusal.message


def test_without_an_environment_attribute_the_refusal_belongs_to_the_keys_environment() -> None:
    taken = refused(record(without="environment"))
    assert (taken.refusal.code, taken.environment) == (Code.MISSING_ATTRIBUTE, ENVIRONMENT)


def test_without_an_environment_attribute_a_key_on_a_foreign_partition_owns_nothing() -> None:
    taken = refused(record(partition=AWAY, without="environment"))
    assert (taken.environment, taken.claimed_environment) == (None, None)


def test_a_record_without_an_id_cannot_be_answered() -> None:
    taken = refused(record(without="id"))
    assert (taken.refusal.code, taken.command_id) == (Code.MISSING_ATTRIBUTE, None)


def test_two_bad_records_have_the_same_fingerprint_only_with_the_same_bytes() -> None:
    bad = [refused(replace(record(), value=value)).fingerprint for value in (b"{", b"{", b"[")]
    assert (bad[0] == bad[1], bad[0] == bad[2]) == (True, False)


def test_the_commands_type_is_told_even_when_its_data_cannot_be_read() -> None:
    taken = refused(replace(record(), value=b"{"))
    assert (taken.command_type, taken.command_subject) == ("PipelineRequested", "pipelines/p")


def test_a_command_stays_the_same_whoever_reads_it() -> None:
    first, second = (take_in(record(), PARTITIONS) for _ in range(2))
    assert isinstance(first, Command)
    assert first == second


def test_a_command_may_come_as_one_json_document() -> None:
    encoded = encode_command(ASKED)
    document = {**read_attributes(encoded.headers), "data": json.loads(encoded.value)}
    headers = [("content-type", b"application/cloudevents+json")]
    structured = replace(record(), headers=headers, value=json.dumps(document).encode())
    assert take_in(structured, PARTITIONS) == ASKED
    assert refused(replace(structured, partition=AWAY)).refusal.code is Code.MISROUTED


def test_a_document_in_a_format_that_is_not_read_is_owned_by_nobody() -> None:
    taken = refused(replace(record(), headers=[("content-type", b"application/cloudevents+avro")], value=b"\x00"))
    assert (taken.refusal.code, taken.environment, taken.command_id) == (Code.UNSUPPORTED_MEDIA_TYPE, None, None)
