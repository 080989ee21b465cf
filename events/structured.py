"""CloudEvents 1.0 as one JSON document: the attributes, and the data among them."""

import base64
import json
from typing import Any

import pydantic_core

from events.codec import Headers, event_attributes, read_attributes, read_json, readable
from events.envelope import Event
from events.refusals import Code, Refused

JSON_FORMAT = "application/cloudevents+json"
_FORMATS = b"application/cloudevents"


def event_as_json(event: Event) -> str:
    """Return `event` as one line of JSON. Its data stands in it as it was logged."""
    told = {name: text for name, text in event_attributes(event).items() if text is not None}
    attributes = {**told, "result": event.is_result, "datacontenttype": "application/json"}
    return f'{json.dumps(attributes, ensure_ascii=False)[:-1]}, "data": {event.data}}}'


def attributes_and_data(headers: Headers, value: bytes | None) -> tuple[dict[str, str], bytes | None]:
    """Return what a record holds, in either mode: headers and value, or both in one JSON document.

    Raises Refused: unsupported_media_type for another format or a batch, invalid_json.
    """
    content_type = next((raw for name, raw in headers if name.lower() == "content-type" and raw), b"").lower()
    if not content_type.startswith(_FORMATS):
        return read_attributes(headers), value
    told = content_type.decode("ascii", errors="replace")
    if told.partition(";")[0].strip() != JSON_FORMAT:
        raise Refused(
            Code.UNSUPPORTED_MEDIA_TYPE,
            f"The record's content type is {told}. Send a CloudEvent in binary mode, or one in {JSON_FORMAT}.",
        )
    document = read_json(value or b"")
    if not isinstance(document, dict):
        raise Refused(Code.INVALID_JSON, "The record is no CloudEvent in JSON: its value is no object.")
    return _attributes(document), _data(document)


def _attributes(document: dict[str, Any]) -> dict[str, str]:
    """Return the attributes as headers would have them; those that are no clean text are left out, as there."""
    texts = {
        name: pydantic_core.to_json(value).decode() if isinstance(value, bool | int) else value
        for name, value in document.items()
        if name not in {"data", "data_base64"}
    }
    return {name: text for name, text in texts.items() if isinstance(text, str) and readable(text.encode())}


def _data(document: dict[str, Any]) -> bytes | None:
    if "data_base64" not in document:
        return pydantic_core.to_json(document["data"]) if "data" in document else None
    try:
        return base64.b64decode(document["data_base64"], validate=True)
    except (TypeError, ValueError) as error:
        raise Refused(Code.INVALID_JSON, f"The CloudEvent's data_base64 is no base64: {error}.") from error
