"""What the OpenAPI document says of the routes that settle dead letters."""

from typing import Any

from events.refusals import Code
from services.command.described import body_of
from services.command.replays import Mended
from services.kit import history_examples
from services.kit.command_shapes import Succeeded
from services.kit.described import JSON_TYPE, LATER, OF_BODIES, OF_COMMANDS, OF_READS, Told, described
from services.kit.history_shapes import DeadLetterEntry
from services.kit.parameters import IDEMPOTENCY_KEY, PREFER

# A replay is refused with whatever the command in the letter can be.
OF_LETTERS = [
    code
    for code in Code
    if code.http_status in {404, 409, 412, 422} and code not in {Code.NOT_FOUND, Code.USER_NOT_FOUND}
]


def _optional(body: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {**body["requestBody"], "required": False}}


REPLAY = described(
    Told(200, Succeeded, history_examples.REPLAYED, "The new command took effect", ("Pipeloom-Command-Id",)),
    LATER,
    refuses=[*OF_COMMANDS, *OF_BODIES, *OF_LETTERS, Code.POSTGRES_UNAVAILABLE],
    parameters=[PREFER, IDEMPOTENCY_KEY],
    body=_optional(body_of(Mended, history_examples.MENDED, JSON_TYPE)),
)
DISCARD = described(
    Told(200, DeadLetterEntry, history_examples.DISCARDED, "The letter, which is no longer open"),
    refuses=[*OF_READS, Code.INVALID_PARAMETER, Code.DEAD_LETTER_NOT_FOUND],
)
