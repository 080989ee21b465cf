"""Pipeloom: compose machine-learning steps into pipelines. `pipeloom.Client` is where a program starts."""

from pipeloom.client import (
    AsyncClient,
    Client,
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
