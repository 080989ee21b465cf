"""What a log line says of the request or the command that it is about, without each line saying so."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_told: ContextVar[dict[str, str] | None] = ContextVar("told", default=None)


@contextmanager
def telling(**fields: str | None) -> Iterator[None]:
    """Have every line from inside the block carry `fields`, and what is told in it later."""
    token = _told.set({**(_told.get() or {}), **_known(fields)})
    try:
        yield
    finally:
        _told.reset(token)


def tell(**fields: str | None) -> None:
    """Have the lines of the block that this is called from carry `fields`, also from threads and tasks of it."""
    told = _told.get()
    if told is not None:
        told.update(_known(fields))


def add_told(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add what is told to a line, which itself has the last word."""
    told = _told.get()
    return {**told, **event} if told else event


def _known(fields: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
