"""A client for one command, whose errors end as a sentence and an exit code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer

from pipeloom.cli import profiles
from pipeloom.cli.exits import ExitCode, end, say
from pipeloom.cli.output import printable
from pipeloom.client import Client, NotConfigured, OutcomeUnknown, PipeloomError, Refused

T = TypeVar("T")

# The service and the client speak of HTTP; whoever types commands knows their options.
_WORDS = (
    (re.compile(r"force_(dependents|deployments)_deletion=true"), "--force"),
    (re.compile(r"\bwith idempotency key "), "with --idempotency-key "),
    (re.compile(r"\bat /api/v1/commands/([\w-]+)"), r"with: pipeloom commands get \1 --wait 30"),
    (
        re.compile(r"\bwith PATCH /api/v1/webhooks/([\w-]+) and the status enabled"),
        r"with: pipeloom webhooks enable \1",
    ),
    (re.compile(r"\bask with get_step\b"), "ask with `pipeloom steps get`"),
)


@contextmanager
def connected() -> Iterator[Client]:
    """Give a client to the block; what goes wrong in it is told on stderr and ends the command."""
    with telling():
        access = profiles.access()
        with Client(access.url, access.sdk_token) as client:
            yield client


@contextmanager
def telling() -> Iterator[None]:
    """End the command with a sentence when the block raises an error of the client's."""
    try:
        yield
    except PipeloomError as error:
        say(told(error))
        raise typer.Exit(exit_code(error)) from error


def exit_code(error: PipeloomError) -> ExitCode:
    """Return the exit code that stands for `error`."""
    if isinstance(error, NotConfigured):
        return ExitCode.USAGE
    return ExitCode.REFUSED if isinstance(error, Refused) else ExitCode.UNAVAILABLE_OR_UNKNOWN


def told(error: PipeloomError) -> str:
    """Return `error` for a person: what happened and why, the code, and what helps to follow it up."""
    lines = [in_own_words(error.message)]
    for label, value in (
        ("code", error.code),
        ("failure", error.details.get("failure_code")),
        ("command", error.command_id),
        ("request", error.request_id),
    ):
        if value:
            lines.append(f"  {label}: {value}")
    if isinstance(error, OutcomeUnknown) and "idempotency_key" in error.details:
        lines.append(f"  idempotency key: {error.details['idempotency_key']}")
    return printable("\n".join(lines))


def in_own_words(message: str) -> str:
    """Return a message with the command line's words in place of HTTP's and Python's."""
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    return message


def existing(document: T | None, if_none: str) -> T:
    """Return `document`; when there is none, say so and end the command as refused."""
    if document is None:
        end(ExitCode.REFUSED, if_none)
    return document
