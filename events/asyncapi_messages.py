"""The messages of the AsyncAPI document: one for each type, with its headers, its data and an example."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from events.codec import Record
from events.envelope import schema_uri, type_attribute
from events.headers import ENVIRONMENT
from events.message_examples import record_examples
from events.model import Versioned
from events.schemas import schema_of
from events.topics import TOPICS, Topic

Part = dict[str, Any]

BINDING = "0.5.0"
_DEFINITIONS, _COMPONENTS = "#/$defs/", "#/components/schemas/"


def to(*path: str) -> Part:
    """Return a reference to a part of the document."""
    return {"$ref": "/".join(["#", *path])}


def name_of(model: type[Versioned]) -> str:
    """Return a type's name in the document, for example `PipelineCreated.v1`."""
    return f"{model.__name__}.v{model.version}"


def names_on(topic: Topic) -> list[str]:
    """Return the names of the messages on a topic."""
    return [name_of(model) for model in topic.models.values()]


def messages(correlations: dict[str, str]) -> Part:
    """Return all messages; `correlations` names the header with the command's id by the topic's suffix."""
    examples = record_examples()
    return {
        name_of(model): _message(topic, model, examples[name], correlations[topic.suffix])
        for topic in TOPICS
        for name, model in topic.models.items()
    }


def _message(topic: Topic, model: type[Versioned], example: Record, correlation: str) -> Part:
    about = inspect.cleandoc(model.__doc__ or "")
    return {
        "name": type_attribute(model.__name__, model.version),
        "title": model.__name__,
        "summary": about.split("\n\n")[0].replace("\n", " "),
        "contentType": "application/json",
        "headers": _headers(topic, model),
        "payload": to("components", "schemas", name_of(model)),
        "correlationId": {"description": "The command's id", "location": f"$message.header#/{correlation}"},
        "bindings": {"kafka": {"key": {"description": "The environment id", **ENVIRONMENT}, "bindingVersion": BINDING}},
        "examples": [
            {
                "name": model.__name__,
                "headers": {name: raw.decode() for name, raw in example.headers},
                "payload": json.loads(example.value),
            }
        ],
    }


def _headers(topic: Topic, model: type[Versioned]) -> Part:
    own = {
        "ce_type": {"const": type_attribute(model.__name__, model.version)},
        "ce_dataschema": {"const": schema_uri(topic.suffix, model.__name__, model.version)},
    }
    return {"type": "object", "allOf": [to("components", "schemas", headers_name(topic)), {"properties": own}]}


def headers_name(topic: Topic) -> str:
    """Return the name of the schema of the headers that all records on a topic have."""
    return f"headers.{topic.suffix}"


def payloads() -> dict[str, Part]:
    """Return the schemas of all data and of what they refer to, in one place and by their names.

    Raises ValueError when two models of one name differ.
    """
    found: dict[str, Part] = {}
    for name, schema in _schemas():
        if found.setdefault(name, schema) != schema:
            raise ValueError(f"two models are called {name}, and they differ; the document needs a name for each")
    return found


def _schemas() -> Iterator[tuple[str, Part]]:
    for topic in TOPICS:
        for model in topic.models.values():
            schema = schema_of(topic.suffix, model)
            hoisted = json.loads(json.dumps(schema).replace(_DEFINITIONS, _COMPONENTS))
            yield from hoisted.pop("$defs", {}).items()
            # An `$id` would be the base of the references, which now lead into the document.
            del hoisted["$id"], hoisted["$schema"]
            yield name_of(model), hoisted
