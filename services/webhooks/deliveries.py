"""The deliveries in Postgres: made from the event log, claimed under a lease, and what became of each attempt."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import asyncpg

from events.envelope import Event
from services.kit.eventlog import event_of
from services.kit.postgres import Pool, borrowed
from services.kit.settings import WebhooksSettings
from services.kit.statements import load_queries
from services.webhooks.sending import Answer

ROWS = 500
FORGOTTEN_AT_ONCE = 5_000
# For so many times the length of an attempt its delivery is kept from the other processes.
LEASE = 2
MAX_ERROR_LENGTH = 500

_sql = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that this process has claimed; whether its webhook failed before says how many places there are."""

    webhook_id: UUID
    environment: str
    is_failing: bool
    sequence: int
    attempts: int
    url: str
    row: asyncpg.Record

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> "Due":
        return cls(row["id"], row["environment"], row["is_failing"], row["sequence"], row["attempts"], row["url"], row)

    def event(self) -> Event | None:
        """Return what is to be sent; None when the log no longer has it."""
        return None if self.row["data"] is None else event_of(self.row)


class Made(NamedTuple):
    """How many events were looked at, and how many deliveries came of it."""

    events: int
    deliveries: int


NOTHING = Made(0, 0)


class Deliveries:
    """What the processes that deliver know of each other: all of it is in Postgres, by its clock."""

    def __init__(self, pool: Pool, settings: WebhooksSettings) -> None:
        self._pool = pool
        self._settings = settings

    async def are_there_webhooks(self) -> bool:
        """Tell whether anybody is to be told of anything."""
        async with borrowed(self._pool) as connection:
            return bool(await _sql.are_any(connection))

    async def make(self) -> Made:
        """Make the deliveries of new events, some for each webhook."""
        async with borrowed(self._pool) as connection:
            behind = [row["id"] async for row in _sql.find_behind(connection, max_pending=self._settings.max_pending)]
        made = NOTHING
        for webhook_id in behind:
            async with borrowed(self._pool) as connection:
                row = await _sql.make_deliveries(
                    connection, id=webhook_id, row_limit=ROWS, max_pending=self._settings.max_pending
                )
            if row is not None:
                made = Made(made.events + row["looked_at"], made.deliveries + row["made"])
        return made

    async def claim(self, under_way: Collection[Due] = ()) -> list[Due]:
        """Return deliveries that are due, for this process alone for as long as an attempt may take.

        They are as many as may be under way besides those that are, by a fair share for each environment.
        """
        places = self._settings.concurrency
        async with borrowed(self._pool) as connection:
            rows = _sql.claim(
                connection,
                busy_ids=[due.webhook_id for due in under_way],
                busy_environments=[due.environment for due in under_way],
                busy_failing=[due.is_failing for due in under_way],
                per_webhook=self._settings.concurrency_per_webhook,
                per_environment=max(1, places // 4),
                failing_per_environment=max(1, places // 8),
                failing=max(1, places // 2),
                row_limit=places - len(under_way),
                lease_s=LEASE * self._settings.timeout_s,
            )
            return [Due.from_row(row) async for row in rows]

    async def give_back(self, due: Due, again_s: float) -> None:
        """Leave a delivery that was not attempted to whoever claims it in `again_s` seconds."""
        async with borrowed(self._pool) as connection:
            await _sql.give_back(
                connection, id=due.webhook_id, sequence=due.sequence, attempts=due.attempts, again_s=again_s
            )

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

    async def forget_old(self) -> bool:
        """Delete some of what was done long ago; tell whether there may be more of it."""
        async with borrowed(self._pool) as connection:
            await _sql.forget_deleted(connection, keep_s=self._settings.keep_s)
            number = await _sql.forget_old(connection, keep_s=self._settings.keep_s, row_limit=FORGOTTEN_AT_ONCE)
        return bool(number == FORGOTTEN_AT_ONCE)

    async def count_pending(self) -> int:
        """Return how many deliveries wait for an attempt."""
        async with borrowed(self._pool) as connection:
            return int(await _sql.count_pending(connection))

    async def count_webhooks_due(self) -> int:
        """Return how many webhooks that do not fail have a delivery that is due."""
        async with borrowed(self._pool) as connection:
            return int(await _sql.count_webhooks_due(connection))

    async def oldest_due_s(self) -> float:
        """Return for how long a delivery has been due whose webhook does not fail; 0 when there is none."""
        async with borrowed(self._pool) as connection:
            return float(await _sql.oldest_due_s(connection))


def _storable(text: str) -> str:
    """Return a text, of which a receiver may have chosen parts, as Postgres takes it."""
    return text.encode(errors="replace").decode().replace("\0", "")[:MAX_ERROR_LENGTH]


def _reason(answer: Answer, disable_after_s: float) -> str:
    if answer.is_gone:
        return "The receiver answered 410: it wants no more events."
    return f"Nothing but failures came of it for {disable_after_s / 3600:g} hours; the last one: {answer.fault}"
