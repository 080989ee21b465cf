"""Examples of histories, commands and dead letters for the OpenAPI document."""

from typing import Any

from services.kit import examples

LETTER_ID = "3-1042"
REPLAY_SOURCE = f"/pipeloom/dead-letters/{LETTER_ID}"
_ASKED: dict[str, Any] = {
    "command_id": examples.COMMAND_ID,
    "command_source": "/pipeloom/http",
    "actor": examples.USER_ID,
    "status": "succeeded",
    "time": examples.LATER,
    "sequence": 17,
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "refusal": None,
}
_REFUSAL = {
    "code": "step_not_found",
    "message": "There is no step 'tarin' in this environment. Create it first, or check the name.",
    "details": {"step_name": "tarin"},
}


def history_of(kind: str, event: str, command: str, name: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a creation."""
    subject = f"{kind}s/{name}"
    return {**_ASKED, "type": event, "command_type": command, "command_subject": subject, "before": None} | {
        "after": resource
    }


COMMANDS = [
    {
        **_ASKED,
        "type": "PipelineCreated",
        "command_type": "PipelineRequested",
        "subject": "pipelines/churn",
        "decided_at": examples.LATER,
    },
    {
        **_ASKED,
        "type": "CommandRejected",
        "command_type": "PipelineRequested",
        "subject": "pipelines/churn",
        "decided_at": examples.AT,
        "time": examples.AT,
        "sequence": 16,
        "status": "rejected",
        "refusal": _REFUSAL,
    },
]
LETTER: dict[str, Any] = {
    "id": LETTER_ID,
    "status": "open",
    "code": "invalid_body",
    "message": "step_names: a field is missing.",
    "received_at": examples.AT,
    "command_id": examples.COMMAND_ID,
    "environment": "lab",
    "source": "/producers/nightly",
    "type": "pipeloom.PipelineRequested.v1",
    "value_bytes": 26,
    "settled_at": None,
    "settled_by": None,
    "replayed_as": None,
}
DISCARDED = {**LETTER, "status": "discarded", "settled_at": examples.LATER, "settled_by": examples.USER_ID}
LETTER_PAGE = {
    **LETTER,
    "key": {"text": "lab", "base64": "bGFi"},
    "value": {"text": '{"pipeline_name": "churn"}', "base64": "eyJwaXBlbGluZV9uYW1lIjogImNodXJuIn0="},
    "headers": [{"name": "ce_type", "value": "pipeloom.PipelineRequested.v1"}],
}
MENDED = {"data": {"pipeline_name": "churn", "step_names": ["train"]}}
REPLAYED = {
    "command_id": examples.COMMAND_ID,
    "type": "PipelineCreated",
    "subject": "pipelines/churn",
    "time": examples.LATER,
    "sequence": 18,
    "traceparent": None,
    "status": "succeeded",
    "result": {"pipeline": examples.PIPELINE.model_dump(mode="json")},
}
