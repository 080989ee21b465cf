"""A client for one command, whose errors end as a sentence and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from pipeloom.client import Client, NotConfigured, OutcomeUnknown, PipeloomError, Refused
from pipeloom.client.requests import Document


class ExitCode(IntEnum):
    """What a script may trust."""

    REFUSED = 1
    USAGE = 2
    UNAVAILABLE_OR_UNKNOWN = 3


@contextmanager
def connected() -> Iterator[Client]:
    """Give a client to the block; what goes wrong in it is told on stderr and ends the command."""
    try:
        with Client() as client:
            yield client
    except PipeloomError as error:
        typer.echo(told(error), err=True)
        raise typer.Exit(exit_code(error)) from error


def exit_code(error: PipeloomError) -> ExitCode:
    """Return the exit code that stands for `error`."""
    if isinstance(error, NotConfigured):
        return ExitCode.USAGE
    return ExitCode.REFUSED if isinstance(error, Refused) else ExitCode.UNAVAILABLE_OR_UNKNOWN


def told(error: PipeloomError) -> str:
    """Return `error` for a person: what happened and why, the code, and what helps to follow it up."""
    lines = [error.message]
    for label, value in (("code", error.code), ("command", error.command_id), ("request", error.request_id)):
        if value:
            lines.append(f"  {label}: {value}")
    if isinstance(error, OutcomeUnknown) and "idempotency_key" in error.details:
        lines.append(f"  idempotency key: {error.details['idempotency_key']}")
    return "\n".join(lines)


def existing(document: Document | None, if_none: str) -> Document:
    """Return `document`; when there is none, say so and end the command as refused."""
    if document is None:
        typer.echo(if_none, err=True)
        raise typer.Exit(ExitCode.REFUSED)
    return document
