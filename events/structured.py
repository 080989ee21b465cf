"""CloudEvents 1.0 as one JSON document: the attributes, and the data among them."""

import json

from events.codec import event_attributes
from events.envelope import Event


def event_as_json(event: Event) -> str:
    """Return `event` as one line of JSON. Its data stands in it as it was logged."""
    told = {name: text for name, text in event_attributes(event).items() if text is not None}
    attributes = {**told, "result": event.is_result, "datacontenttype": "application/json"}
    return f'{json.dumps(attributes, ensure_ascii=False)[:-1]}, "data": {event.data}}}'
