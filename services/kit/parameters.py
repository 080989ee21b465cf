"""The parameters of requests, for the OpenAPI document: what an address and the headers may hold, with their limits."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, Field

from events import patterns
from events.commands import COMMANDS
from events.names import MAX_NAME_LENGTH, VARIABLE_PATTERN, Name
from events.results import RESULTS
from services.kit.dead_letters import ID_PATTERN
from services.kit.examples import DIGEST

# What a pattern can say of a name: it has something in it that is neither a dot nor a space.
_IN_URLS = r"[^/?#%\u0000-\u001f\u007f-\u009f\u2028\u2029]"
NAME_PATTERN = rf"^{_IN_URLS}*{_IN_URLS[:-1]}.\s]{_IN_URLS}*$"

_LONG = {"minLength": 1, "maxLength": MAX_NAME_LENGTH}
_NAME: dict[str, Any] = {**_LONG, "pattern": NAME_PATTERN}

# Said only, not checked by FastAPI: a name that cannot be is refused by the command itself, or not found.
StepName = Annotated[str, Path(description="The step", examples=["train"], json_schema_extra=_NAME)]
PipelineName = Annotated[str, Path(description="The pipeline", examples=["churn"], json_schema_extra=_NAME)]
DeploymentName = Annotated[str, Path(description="The deployment", examples=["churn-api"], json_schema_extra=_NAME)]
EnvironmentVariableName = Annotated[
    str,
    Path(
        description="The environment variable",
        examples=["API_KEY"],
        json_schema_extra={**_LONG, "pattern": f"^{VARIABLE_PATTERN.pattern}$"},
    ),
]
Digest = Annotated[str, patterns.DIGEST, Path(description="The source, by its content", examples=[DIGEST])]

DeadLetterId = Annotated[
    str,
    patterns.Pattern(ID_PATTERN, "be a dead letter's id, as in 3-1042"),
    Path(description="The dead letter", examples=["3-1042"]),
]

PipelineFilter = Annotated[
    Annotated[Name, Field(json_schema_extra=_NAME)] | None,
    Query(description="Only what happens to this pipeline and to its deployments", examples=["churn"]),
]


def _known(kind: str, names: Collection[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"there is no {kind} type '{name}'; the known ones are {', '.join(names)}")
        return name

    return AfterValidator(check)


EventType = Annotated[str, _known("event", RESULTS), Field(json_schema_extra={"enum": list(RESULTS)})]
CommandType = Annotated[str, _known("command", COMMANDS), Field(json_schema_extra={"enum": list(COMMANDS)})]

MAX_SEQUENCE = 2**63 - 1
DeliverySequence = Annotated[
    int, Path(ge=1, le=MAX_SEQUENCE, description="The delivery, by its event's sequence", examples=[17])
]


def _header(name: str, description: str, **limits: Any) -> dict[str, Any]:
    schema = {"type": "string", **limits}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


PREFER = _header(
    "Prefer",
    "`wait=N` waits up to N seconds for the result (60 at most), `respond-async` not at all; the answer is 202 when "
    "there is none by then (RFC 7240). Left out: the server waits as long as it does. Others are ignored.",
    examples=["wait=5", "respond-async"],
)
IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "A repeat under the same key has the result of the first request; another request under it is refused. "
    "A new UUID for each request, for example.",
    minLength=1,
    maxLength=255,
    pattern="^[\\u0020-\\u007e\\u00a1-\\u00ac\\u00ae-\\u00ff]+$",
)
IF_NONE_MATCH = _header(
    "If-None-Match",
    "The ETag of what the client has: the answer is 304 when nothing has changed since.",
    examples=['"17"'],
)
IF_MATCH = _header(
    "If-Match",
    "The ETag of what the client has read: refused with 412 when something has changed since.",
    examples=['"17"'],
    pattern=r'^("[0-9]{1,18}"|\*)$',
)
CLIENT = _header(
    "craft-ai-client",
    "Which craft-ai-sdk asks: a step's status is spelled as its version reads it.",
    examples=["craft-ai-sdk@0.43.4"],
)
