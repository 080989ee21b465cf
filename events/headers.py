"""The headers of records, each with what it means: the attributes of CloudEvents in Kafka's binary mode."""

from typing import Any, NamedTuple

from events.codec import MAX_ATTRIBUTE_LENGTH
from events.names import ENVIRONMENT_PATTERN

Schema = dict[str, Any]


class Header(NamedTuple):
    """A header: its name, whether every record has to have it, what it means and what it looks like."""

    name: str
    is_required: bool
    meaning: str
    form: Schema


def _text(**form: Any) -> Schema:
    return {"type": "string", "maxLength": MAX_ATTRIBUTE_LENGTH, **form}


ENVIRONMENT: Schema = {"type": "string", "pattern": f"^{ENVIRONMENT_PATTERN.pattern}$"}
UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
_TYPE = r"^pipeloom\.[A-Za-z]+\.v[0-9]{1,4}$"

COMMAND_HEADERS = (
    Header("ce_specversion", True, "The version of CloudEvents", {"const": "1.0"}),
    Header("ce_id", True, "The command id: the same for a repeat, which then has no second effect", UUID),
    Header("ce_type", True, "`pipeloom.NAME.vVERSION`; earlier versions are still read", _text(pattern=_TYPE)),
    Header("ce_source", True, "Who produced it, a URI reference, for example `/billing`", _text(minLength=1)),
    Header("ce_environment", True, "The environment id, the same as the record's key", ENVIRONMENT),
    Header("ce_actor", False, "On whose behalf; stands in `created_by`. `unknown` when left out", _text()),
    Header("ce_time", False, "When it was asked; the record's timestamp when left out", TIME),
    Header("ce_subject", False, "The resource. Not read for a command that can be decoded", _text()),
    Header("ce_dataschema", False, "The `$id` of the JSON Schema of the value. Not read", _text()),
    Header("ce_traceparent", False, "W3C trace context; the events that follow carry it", _text()),
    Header("content-type", False, "`application/json`, which is also what is taken for granted", _text()),
)

EVENT_HEADERS = (
    Header("ce_specversion", True, "The version of CloudEvents", {"const": "1.0"}),
    Header("ce_id", True, "The event's id: the command id, a dot, and the event's place under it, from 0", _text()),
    Header("ce_type", True, "`pipeloom.NAME.vVERSION`, the version in which it was written", _text(pattern=_TYPE)),
    Header("ce_dataschema", True, "The `$id` of the JSON Schema of the value; its path is served over HTTP", _text()),
    Header("ce_source", True, "`/pipeloom/environments/ENVIRONMENT`", _text()),
    Header("ce_subject", True, "The resource, for example `pipelines/churn`", _text()),
    Header("ce_time", True, "The time of the command, UTC with milliseconds", TIME),
    Header("ce_environment", True, "The environment id, the same as the record's key", ENVIRONMENT),
    Header("ce_actor", True, "Who asked: a user id, `builder`, or what a producer said", _text()),
    Header("ce_commandid", True, "The command that this is a consequence of", UUID),
    Header("ce_commandsource", True, "By which door the command came: its `ce_source`", _text()),
    Header(
        "ce_sequence",
        False,
        "The place in the environment's history, from 1 without gaps; absent on the rejection of a stray",
        _text(pattern="^[1-9][0-9]{0,18}$"),
    ),
    Header("ce_position", True, "The command's offset and the event's index in it", _text(pattern=r"^[0-9]+\.[0-9]+$")),
    Header("ce_result", True, "`true` on a command's last event, which is its result", {"enum": ["true", "false"]}),
    Header("ce_traceparent", False, "The command's W3C trace context, when it had one", _text()),
    Header("content-type", True, "The form of the value", {"const": "application/json"}),
)

NOTICE_HEADERS = (
    Header("ce_specversion", True, "The version of CloudEvents", {"const": "1.0"}),
    Header("ce_id", True, "The same however often it is told: of the command's id and place, and the kind", _text()),
    Header("ce_type", True, "`pipeloom.NAME.vVERSION`, the version in which it was written", _text(pattern=_TYPE)),
    Header("ce_dataschema", True, "The `$id` of the JSON Schema of the value; its path is served over HTTP", _text()),
    Header("ce_source", True, "`/pipeloom/monitor`", _text()),
    Header("ce_subject", True, "`commands/COMMAND_ID`", _text()),
    Header("ce_time", True, "When it was noticed, UTC with milliseconds", TIME),
    Header("ce_environment", True, "The environment id, the same as the record's key", ENVIRONMENT),
    Header("ce_commandid", True, "The command", UUID),
    Header("content-type", True, "The form of the value", {"const": "application/json"}),
)


def headers_schema(headers: tuple[Header, ...]) -> Schema:
    """Return the JSON Schema of a record's headers as texts."""
    return {
        "type": "object",
        "required": [each.name for each in headers if each.is_required],
        "properties": {each.name: {"description": each.meaning, **each.form} for each in headers},
    }
