"""The deliveries in Postgres: made from the event log, claimed under a lease, and what became of each attempt."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from events.envelope import Event
from services.kit.eventlog import event_of
from services.kit.postgres import Pool, borrowed, load_queries
from services.kit.settings import WebhooksSettings
from services.webhooks.sending import Answer

ROWS = 500
# For so many times the length of an attempt its delivery is kept from the other processes.
LEASE = 2
MAX_ERROR_LENGTH = 500

_sql = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that this process has claimed."""

    webhook_id: UUID
    sequence: int
    attempts: int
    url: str
    row: asyncpg.Record

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> "Due":
        return cls(row["id"], row["sequence"], row["attempts"], row["url"], row)

    def event(self) -> Event | None:
        """Return what is to be sent; None when the log no longer has it."""
        return None if self.row["data"] is None else event_of(self.row)


class Deliveries:
    """What the processes that deliver know of each other: all of it is in Postgres, by its clock."""

    def __init__(self, pool: Pool, settings: WebhooksSettings) -> None:
        self._pool = pool
        self._settings = settings

    async def make(self) -> bool:
        """Make the deliveries of new events, some for each webhook; tell whether there were any events."""
        async with borrowed(self._pool) as connection:
            behind = [row["id"] async for row in _sql.find_behind(connection, max_pending=self._settings.max_pending)]
        looked_at = 0
        for webhook_id in behind:
            async with borrowed(self._pool) as connection:
                looked_at += (
                    await _sql.make_deliveries(
                        connection, id=webhook_id, row_limit=ROWS, max_pending=self._settings.max_pending
                    )
                    or 0
                )
        return looked_at > 0

    async def claim(self, most: int, under_way: Mapping[UUID, int]) -> list[Due]:
        """Return up to `most` deliveries that are due, for this process alone for as long as an attempt may take."""
        async with borrowed(self._pool) as connection:
            rows = _sql.claim(
                connection,
                busy_ids=list(under_way),
                busy_counts=list(under_way.values()),
                per_webhook=self._settings.concurrency_per_webhook,
                row_limit=most,
                lease_s=LEASE * self._settings.timeout_s,
            )
            return [Due.from_row(row) async for row in rows]

    async def succeeded(self, due: Due, status_code: int) -> None:
        """Note that the receiver has taken a delivery."""
        async with borrowed(self._pool) as connection:
            await _sql.record_success(
                connection,
                id=due.webhook_id,
                url=due.url,
                sequence=due.sequence,
                attempts=due.attempts,
                status_code=status_code,
            )

    async def failed(self, due: Due, answer: Answer, retry_s: float | None) -> bool:
        """Note why an attempt failed, and when the next one is (None: never); tell whether the webhook is disabled."""
        reason = _reason(answer, self._settings.disable_after_s)
        async with borrowed(self._pool) as connection:
            is_disabled: bool | None = await _sql.record_failure(
                connection,
                id=due.webhook_id,
                url=due.url,
                sequence=due.sequence,
                attempts=due.attempts,
                status_code=answer.status_code,
                error=_storable(answer.fault),
                retry_s=retry_s,
                is_gone=answer.is_gone,
                disable_after_s=self._settings.disable_after_s,
                reason=_storable(reason),
            )
        return bool(is_disabled)

    async def forget_old(self) -> None:
        """Delete some of the deliveries that were done long ago."""
        async with borrowed(self._pool) as connection:
            await _sql.forget_old(connection, keep_s=self._settings.keep_s, row_limit=10 * ROWS)

    async def count_pending(self) -> int:
        """Return how many deliveries wait for an attempt."""
        async with borrowed(self._pool) as connection:
            return int(await _sql.count_pending(connection))


def _storable(text: str) -> str:
    """Return a text, of which a receiver may have chosen parts, as Postgres takes it."""
    return text.encode(errors="replace").decode().replace("\0", "")[:MAX_ERROR_LENGTH]


def _reason(answer: Answer, disable_after_s: float) -> str:
    if answer.is_gone:
        return "The receiver answered 410: it wants no more events."
    return f"Nothing but failures came of it for {disable_after_s / 3600:g} hours; the last one: {answer.fault}"
