"""Names as arguments: one that can never exist is wrong usage, told before anything is sent."""

from typing import TypeVar

import typer

from events.names import why_unaddressable

N = TypeVar("N", str, None)


def checked(name: N) -> N:
    """Return a name as it was typed. Raises BadParameter when no resource can have it."""
    why = why_unaddressable(name) if name is not None else None
    if why:
        raise typer.BadParameter(f"'{name}' cannot be a name: {why}.")
    return name
