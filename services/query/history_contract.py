"""What the OpenAPI document says of histories, lists of commands and dead letters."""

from typing import Any

from events.refusals import Code
from services.kit import examples, history_examples
from services.kit.described import OF_LISTS, OF_READS, Described, Told, described
from services.kit.history_shapes import CommandEntry, DeadLetterEntry, DeadLetterPage, HistoryEntry

OF_PAGES = ("Link", "Pipeloom-Pruned-Up-To")
PAGED = (*OF_LISTS, Code.INVALID_REQUEST)


def _history(kind: str, event: str, command: str, name: str, resource: Any, absent: Code) -> Described:
    example = history_examples.history_of(kind, event, command, name, resource.model_dump(mode="json"))
    told = Told(200, list[HistoryEntry], [example], "What happened to it, with what was refused about it", OF_PAGES)
    return described(told, refuses=[*PAGED, absent])


STEP_HISTORY = _history("step", "StepCreated", "StepRequested", "train", examples.PENDING_STEP, Code.STEP_NOT_FOUND)
PIPELINE_HISTORY = _history(
    "pipeline", "PipelineCreated", "PipelineRequested", "churn", examples.PIPELINE, Code.PIPELINE_NOT_FOUND
)
DEPLOYMENT_HISTORY = _history(
    "deployment", "DeploymentCreated", "DeploymentRequested", "churn-api", examples.ENDPOINT, Code.DEPLOYMENT_NOT_FOUND
)
LIST_COMMANDS = described(
    Told(200, list[CommandEntry], history_examples.COMMANDS, "The commands of a piece of the history", OF_PAGES),
    refuses=PAGED,
)
LIST_DEAD_LETTERS = described(
    Told(200, list[DeadLetterEntry], [history_examples.LETTER], "The letters, the newest first", ("Link",)),
    refuses=PAGED,
)
GET_DEAD_LETTER = described(
    Told(200, DeadLetterPage, history_examples.LETTER_PAGE, "The letter, with the record's bytes"),
    refuses=[*OF_READS, Code.INVALID_PARAMETER, Code.DEAD_LETTER_NOT_FOUND],
)
