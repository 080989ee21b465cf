"""What a lag is: the same for a part, which tells its own while it is alive, and for the monitor, which tells all.

A composer and a builder are behind by the records after the one that they go on from, a relay by the events of the log
that are not published.
"""

from typing import NamedTuple

from events.envelope import Position
from services.kit.postgres import Connection
from services.kit.statements import load_queries

# Events are not counted beyond that: a count reads what it counts.
COUNT_UP_TO = 10_000
NOTHING = Position(-1, -1)

sql = load_queries(__file__)


class Unpublished(NamedTuple):
    """How many events are not published, and where the log ends."""

    events: int
    end: Position


def records_behind(end: int, next_offset: int, *, is_transactional: bool = False) -> int:
    """Return how many records of a partition that ends at `end` come after the one before `next_offset`.

    The last offset of a topic that is written in transactions is a marker, which is no record.
    """
    return max(0, end - max(0, next_offset) - is_transactional)


async def read_unpublished(connection: Connection, partition: int, published: Position) -> Unpublished:
    """Return how much of the event log is behind the last `published` event. Raises what Postgres did."""
    row = await sql.read_unpublished(
        connection,
        partition=partition,
        log_offset=published.offset,
        log_index=published.index,
        at_most=COUNT_UP_TO,
    )
    end = NOTHING if row["log_offset"] is None else Position(row["log_offset"], row["log_index"])
    return Unpublished(row["unpublished"], end)
