"""The AsyncAPI document of the topics, made from the models: `python -m events.asyncapi` writes it."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from events.asyncapi_messages import BINDING, headers_name, messages, names_on, payloads, to
from events.headers import COMMAND_HEADERS, EVENT_HEADERS, NOTICE_HEADERS, Header, headers_schema
from events.promises import COMMAND_PROMISES, FOR_CONSUMERS, KEY, NOTICES, READ_COMMITTED, SCHEMAS
from events.releases import SCHEMAS as FOLDER
from events.schemas import as_text
from events.topics import ACTIVITY_TOPIC, COMMANDS_TOPIC, DAY_MS, DEFAULT_PARTITIONS, EVENTS_TOPIC, MIB, TOPICS, Topic

Part = dict[str, Any]

DOCUMENT = FOLDER / "asyncapi.json"
ABOUT = """\
Pipeloom composes machine-learning steps into pipelines and keeps their lifecycle. Producers ask for something on
one topic; what has become so is told on another.

The document is written as seen from Pipeloom: it *receives* commands, which you send, and *sends* events, which you
receive. Every record is a CloudEvent 1.0 in binary mode: attributes in headers, JSON data in the value. Commands
may also come in structured mode (`application/cloudevents+json`), and over HTTP, which the OpenAPI document at
`/docs` describes."""


class Channel(NamedTuple):
    """What is said of a topic beside its models: as seen from Pipeloom, and where the command's id is."""

    title: str
    action: Literal["receive", "send"]
    summary: str
    promises: Mapping[str, str]
    headers: tuple[Header, ...]
    correlation: str


CHANNELS = {
    COMMANDS_TOPIC.suffix: Channel(
        title="Commands",
        action="receive",
        summary="What is asked for. You send these records; Pipeloom receives them.",
        promises={"Key": KEY, "Delivery": COMMAND_PROMISES, "Schemas": SCHEMAS},
        headers=COMMAND_HEADERS,
        correlation="ce_id",
    ),
    EVENTS_TOPIC.suffix: Channel(
        title="Events",
        action="send",
        summary="What has become so, and what was refused. Pipeloom sends these records; you receive them.",
        promises={"Read committed": READ_COMMITTED, "Key": KEY, **FOR_CONSUMERS, "Schemas": SCHEMAS},
        headers=EVENT_HEADERS,
        correlation="ce_commandid",
    ),
    ACTIVITY_TOPIC.suffix: Channel(
        title="Activity",
        action="send",
        summary="What the monitor notices of commands. Pipeloom sends these records; you receive them.",
        promises={"Key": KEY, "Delivery": NOTICES, "Schemas": SCHEMAS},
        headers=NOTICE_HEADERS,
        correlation="ce_commandid",
    ),
}
"""By the topic's suffix; each topic has its entry."""


def asyncapi_document() -> Part:
    """Return the document: a channel and an operation for each topic, a message for each type."""
    shared_headers = {headers_name(topic): headers_schema(CHANNELS[topic.suffix].headers) for topic in TOPICS}
    correlations = {suffix: channel.correlation for suffix, channel in CHANNELS.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Pipeloom", "version": "1", "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {topic.suffix: _channel(topic, CHANNELS[topic.suffix]) for topic in TOPICS},
        "operations": _operations(),
        "components": {"messages": messages(correlations), "schemas": {**shared_headers, **payloads()}},
    }


def _server() -> Part:
    return {
        "host": "{bootstrapServer}",
        "protocol": "kafka",
        "description": "The Kafka of an installation",
        "variables": {
            "bootstrapServer": {"default": "localhost:9092", "description": "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"}
        },
    }


def _channel(topic: Topic, channel: Channel) -> Part:
    texts = {**channel.promises, "Retention": _retention(topic)}
    return {
        "address": f"{{prefix}}.{topic.suffix}",
        "title": channel.title,
        "summary": channel.summary,
        "description": "\n\n".join(f"**{title}.** {text}" for title, text in texts.items()),
        "parameters": {"prefix": {"default": "pipeloom", "description": "PIPELOOM_KAFKA__TOPIC_PREFIX"}},
        "servers": [to("servers", "kafka")],
        "messages": {name: to("components", "messages", name) for name in names_on(topic)},
        "bindings": {"kafka": _kafka(topic)},
    }


def _retention(topic: Topic) -> str:
    return (
        f"{topic.retention_ms // DAY_MS} days when `pipeloom init` creates the topic, and no compaction. "
        f"The largest record has {topic.max_message_bytes / MIB:g} MiB."
    )


def _kafka(topic: Topic) -> Part:
    return {
        "partitions": DEFAULT_PARTITIONS,
        "topicConfiguration": {
            "cleanup.policy": ["delete"],
            "retention.ms": topic.retention_ms,
            "max.message.bytes": topic.max_message_bytes,
        },
        "bindingVersion": BINDING,
    }


def _operations() -> Part:
    operations = {topic.suffix: _operation(topic, CHANNELS[topic.suffix]) for topic in TOPICS}
    operations[COMMANDS_TOPIC.suffix]["reply"] = {
        "channel": to("channels", EVENTS_TOPIC.suffix),
        "messages": _messages_of(EVENTS_TOPIC),
    }
    return {f"{CHANNELS[suffix].action}-{suffix}": operation for suffix, operation in operations.items()}


def _operation(topic: Topic, channel: Channel) -> Part:
    return {
        "action": channel.action,
        "channel": to("channels", topic.suffix),
        "title": channel.title,
        "summary": channel.summary,
        "messages": _messages_of(topic),
    }


def _messages_of(topic: Topic) -> list[Part]:
    return [to("channels", topic.suffix, "messages", name) for name in names_on(topic)]


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(as_text(asyncapi_document()), encoding="utf-8")
    print(f"AsyncAPI document written: {DOCUMENT}")


if __name__ == "__main__":
    main()
