"""The table that the Python consumers keep: what an event does to it, whichever client has read the event.

A consumer meets an event again after a crash, so an event has its effect only when its `ce_sequence` is greater than
the last one of its environment. That one number is enough: an environment's sequence has no gaps and no swaps.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LISTED = ("pipeline_name", "created_at", "status")  # what GET /api/v1/pipelines tells of each; the event has more


@dataclass
class Environment:
    """An environment's pipelines by their names, as they are after the event with this sequence."""

    sequence: int = 0
    pipelines: dict[str, Any] = field(default_factory=dict)


class PipelineTable:
    """The pipelines of every environment. Who stores it stores the sequences with it, in the same transaction."""

    def __init__(self) -> None:
        self._environments: defaultdict[str, Environment] = defaultdict(Environment)

    def take(self, headers: Iterable[tuple[str, bytes]], value: bytes) -> None:
        """Let an event have its effect, unless it had it before."""
        attributes = dict(headers)
        if "ce_sequence" not in attributes:
            return  # no event of a history: a note to a producer whose command belonged nowhere
        environment = self._environments[attributes["ce_environment"].decode()]
        sequence = int(attributes["ce_sequence"])
        if sequence > environment.sequence:
            change(environment.pipelines, attributes["ce_type"].decode(), value)
            environment.sequence = sequence

    def as_json(self) -> str:
        """Return for each environment how far it was read, and what GET /api/v1/pipelines lists there."""
        table = {
            name: {"sequence": each.sequence, "pipelines": [each.pipelines[key] for key in sorted(each.pipelines)]}
            for name, each in sorted(self._environments.items())
        }
        return json.dumps(table, ensure_ascii=False, indent=2)


def change(pipelines: dict[str, Any], kind: str, value: bytes) -> None:
    """Do to the pipelines what the event says; most kinds of events say nothing of pipelines.

    A forced deletion of a step needs no case of its own: a PipelineDeleted for each of its pipelines comes before it.
    """
    match kind:
        case "pipeloom.PipelineCreated.v1":
            pipeline = json.loads(value)["pipeline"]
            pipelines[pipeline["pipeline_name"]] = {key: pipeline[key] for key in LISTED}
        case "pipeloom.PipelineDeleted.v1":
            pipelines.pop(json.loads(value)["pipeline"]["pipeline_name"], None)
