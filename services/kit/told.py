"""What is told of a command's result, whoever asks for it."""

from typing import Any

import pydantic_core
from starlette.responses import Response

from events.envelope import Event
from events.results import CommandRejected
from services.kit.web import json_response


def told(event: Event) -> Response:
    """Return a result as a document: `succeeded` with the event's data, or `rejected` with the refusal."""
    body: dict[str, Any] = {
        "command_id": str(event.command_id),
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "sequence": event.sequence,
        "traceparent": event.traceparent,
    }
    data = pydantic_core.from_json(event.data)
    if event.type == CommandRejected.__name__:
        refusal = {key: data[key] for key in ("code", "message", "details")}
        body |= {"status": "rejected", "command_type": data["command_type"], "refusal": refusal}
    else:
        body |= {"status": "succeeded", "result": data}
    return json_response(pydantic_core.to_json(body))
