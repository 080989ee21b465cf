"""The client: Pipeloom from a Python program, waiting (`Client`) or with asyncio (`AsyncClient`)."""

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
from pipeloom.client.sync import Client

__all__ = [
    "AsyncClient",
    "Client",
    "Conflict",
    "Invalid",
    "NotConfigured",
    "NotFound",
    "OutcomeUnknown",
    "PipeloomError",
    "Refused",
    "Unauthenticated",
    "Unavailable",
    "Unreadable",
]
