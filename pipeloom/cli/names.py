"""Names as arguments: one that can never exist is wrong usage, told before anything is sent."""

import re
from collections.abc import Collection
from typing import TypeVar

import typer

from events.names import why_unaddressable

_FULL_TYPE = re.compile(r"pipeloom\.(\w+)\.v\d+")

N = TypeVar("N", str, None)


def checked(name: N) -> N:
    """Return a name as it was typed. Raises BadParameter when no resource can have it."""
    why = why_unaddressable(name) if name is not None else None
    if why:
        raise typer.BadParameter(f"'{name}' cannot be a name: {why}.")
    return name


def known_type(name: str, known: Collection[str], what: str) -> str:
    """Return a type by its name, also when it was typed as CloudEvents write it. Raises BadParameter."""
    full = _FULL_TYPE.fullmatch(name)
    short = full[1] if full else name
    if short not in known:
        raise typer.BadParameter(f"there is no {what} type '{name}'. The known ones are {', '.join(known)}.")
    return short
