"""How a command ends: the exit codes that scripts may trust, and sentences on stderr."""

import os
import sys
from enum import IntEnum
from typing import NoReturn, Self, TextIO

import typer


class ExitCode(IntEnum):
    """An exit code and what it means."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Make a member that is its number and carries the meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "done"
    REFUSED = 1, "refused, nothing was changed"
    USAGE = 2, "wrong usage, or an address, a token or a package is missing"
    UNAVAILABLE_OR_UNKNOWN = 3, "the service is not there, or the outcome is unknown"
    OUTPUT_LOST = 4, "the output could not be written"
    INTERRUPTED = 130, "interrupted by Ctrl-C, a write under way may still take effect"


EXIT_CODES = f"Exit codes: {'; '.join(f'{code.value} {code.meaning}' for code in ExitCode)}."


def say(sentence: str) -> None:
    """Write to stderr; that nobody can read it changes nothing about how the command ends."""
    try:
        typer.echo(sentence, err=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, rather than fail once more when the interpreter ends."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), stream.fileno())


def end(code: ExitCode, sentence: str) -> NoReturn:
    """End the command with a sentence on stderr."""
    say(sentence)
    raise typer.Exit(code)
