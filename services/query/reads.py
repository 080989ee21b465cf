"""Reads the projection; when Postgres cannot be read, says so instead of guessing."""

import contextlib
from collections.abc import Iterator

from events.refusals import Code, Refused
from services.kit.postgres import POSTGRES_TROUBLE, load_queries

sql = load_queries(__file__)


@contextlib.contextmanager
def postgres_trouble_told() -> Iterator[None]:
    """Turn trouble with Postgres inside the block into a refusal (503)."""
    try:
        yield
    except POSTGRES_TROUBLE as error:
        raise Refused(
            Code.POSTGRES_UNAVAILABLE,
            "The projection cannot be read right now. Commands that were acknowledged are kept and composed later; "
            "try again.",
        ) from error
