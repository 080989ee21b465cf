"""The client: Pipeloom from a Python program, waiting (`Client`) or with asyncio (`AsyncClient`)."""

from pipeloom.client import documents, writes
from pipeloom.client.asynchronous import AsyncClient
from pipeloom.client.errors import (
    Conflict,
    Invalid,
    NotConfigured,
    NotFound,
    OutcomeUnknown,
    PipeloomError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from pipeloom.client.refusals import (
    CommandIdReused,
    DeploymentExists,
    DeploymentNotFound,
    InvalidName,
    InvalidSchedule,
    InvalidToken,
    PipelineExists,
    PipelineInUse,
    PipelineNotFound,
    StepExists,
    StepFailed,
    StepInUse,
    StepNotFound,
    StepNotReady,
    UserNotFound,
)
from pipeloom.client.sync import Client
from pipeloom.client.watching import Event

__all__ = [
    "AsyncClient",
    "Client",
    "CommandIdReused",
    "Conflict",
    "DeploymentExists",
    "DeploymentNotFound",
    "Event",
    "Invalid",
    "InvalidName",
    "InvalidSchedule",
    "InvalidToken",
    "NotConfigured",
    "NotFound",
    "OutcomeUnknown",
    "PipelineExists",
    "PipelineInUse",
    "PipelineNotFound",
    "PipeloomError",
    "Refused",
    "StepExists",
    "StepFailed",
    "StepInUse",
    "StepNotFound",
    "StepNotReady",
    "Unauthenticated",
    "Unavailable",
    "Unreadable",
    "UserNotFound",
    "documents",
    "writes",
]
