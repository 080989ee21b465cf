"""Commands and events to begin from."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from events.codec import encode_command, read_attributes
from events.commands import PipelineRequested
from events.envelope import Command, Event, Position

COMMAND_ID = UUID("0192f6a0-0000-7000-8000-000000000001")

MakeCommand = Callable[..., Command]
MakeEvent = Callable[..., Event]


@pytest.fixture
def make_command() -> MakeCommand:
    """Make a command that asks for the pipeline `churn`; keywords change its fields."""

    def make(**changes: Any) -> Command:
        fields: dict[str, Any] = {
            "id": COMMAND_ID,
            "environment": "lab",
            "actor": "ada",
            "source": "/tests",
            "time": "2026-01-31T12:00:00.000Z",
            "data": PipelineRequested(pipeline_name="churn", step_names=["train"]),
        }
        return Command(**(fields | changes))

    return make


@pytest.fixture
def make_event() -> MakeEvent:
    """Make the result event of that command; keywords change its fields."""

    def make(**changes: Any) -> Event:
        fields: dict[str, Any] = {
            "partition": 3,
            "position": Position(41, 0),
            "environment": "lab",
            "sequence": 7,
            "type": "PipelineCreated",
            "version": 1,
            "subject": "pipelines/churn",
            "command_id": COMMAND_ID,
            "command_source": "/tests",
            "is_result": True,
            "actor": "ada",
            "time": "2026-01-31T12:00:00.000Z",
            "data": '{"pipeline":{}}',
        }
        return Event(**(fields | changes))

    return make


@pytest.fixture
def attributes(make_command: MakeCommand) -> dict[str, str]:
    """The CloudEvents attributes of a good command."""
    return read_attributes(encode_command(make_command()).headers)


@pytest.fixture
def value(make_command: MakeCommand) -> bytes:
    """The value of a good command."""
    return encode_command(make_command()).value
