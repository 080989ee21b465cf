"""What the monitor tells, as CloudEvents."""

import json

from events.activity import ACTIVITY, CommandOverdue, Notice, encode_notice
from events.codec import read_attributes
from events.topics import ACTIVITY_TOPIC, EVENTS_TOPIC

OVERDUE = CommandOverdue(
    command_id="c-1", command_type="StepRequested", asked_at="2026-01-31T12:00:00.000Z", overdue_after_s=30
)


def test_a_notice_is_a_cloud_event_keyed_by_its_environment() -> None:
    record = encode_notice(Notice("c-1.overdue-0-7", "lab", "2026-01-31T12:00:31.000Z", OVERDUE))

    assert record.key == b"lab"
    assert json.loads(record.value) == {
        "command_id": "c-1",
        "command_type": "StepRequested",
        "asked_at": "2026-01-31T12:00:00.000Z",
        "overdue_after_s": 30.0,
    }
    assert dict(record.headers)["content-type"] == b"application/json"
    assert read_attributes(record.headers) == {
        "specversion": "1.0",
        "id": "c-1.overdue-0-7",
        "type": "pipeloom.CommandOverdue.v1",
        "dataschema": "pipeloom:/schemas/activity/CommandOverdue.v1.json",
        "source": "/pipeloom/monitor",
        "subject": "commands/c-1",
        "time": "2026-01-31T12:00:31.000Z",
        "environment": "lab",
        "commandid": "c-1",
    }


def test_the_topic_tells_of_all_notices_and_keeps_them_for_less_long_than_events() -> None:
    assert set(ACTIVITY_TOPIC.types) == set(ACTIVITY)
    assert ACTIVITY_TOPIC.retention_ms < EVENTS_TOPIC.retention_ms
