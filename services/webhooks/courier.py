"""Delivers what is due: makes deliveries of new events, claims some, and attempts them side by side."""

import asyncio
import contextlib
from collections import Counter
from uuid import UUID

import structlog

from events.structured import event_as_json
from services.kit.backoff import Backoff
from services.kit.health import Health
from services.kit.notices import Ranges
from services.kit.postgres import POSTGRES_TROUBLE, Pool
from services.kit.sealing import SealBroken, Sealer
from services.kit.settings import WebhooksSettings
from services.kit.webhook_secrets import open_secret
from services.webhooks.deliveries import Deliveries, Due
from services.webhooks.metrics import ATTEMPT_SECONDS, ATTEMPTS, DISABLED, PENDING
from services.webhooks.schedule import retry_delay
from services.webhooks.sending import Answer, Message, Sender

PART = "deliveries"
DRAIN_S = 8.0
TIDY_EVERY_S = 30.0

log = structlog.get_logger()


class Courier:
    """One process's share of the deliveries. All processes together attempt each at least once."""

    def __init__(self, pool: Pool, sealer: Sealer, sender: Sender, settings: WebhooksSettings, health: Health) -> None:
        self._deliveries = Deliveries(pool, settings)
        self._sealer = sealer
        self._sender = sender
        self._settings = settings
        self._health = health
        self._news = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()
        self._under_way: Counter[UUID] = Counter()
        health.expect(PART)

    def on_notice(self, _: Ranges) -> None:
        """Look for new events."""
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; then let the attempts under way end, for DRAIN_S seconds at most."""
        async with asyncio.TaskGroup() as group:
            await self._work(group, stop)
            if self._attempts:
                await asyncio.wait(self._attempts, timeout=DRAIN_S)
            for late in self._attempts:
                late.cancel()  # its lease ends, and another process attempts it

    async def _work(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        backoff = Backoff()
        while not stop.is_set():
            self._news.clear()
            try:
                is_busy = await self._turn(group)
            except POSTGRES_TROUBLE as error:
                self._health.ill(PART, f"deliveries cannot be claimed: {error!r}")
                await backoff.wait(stop)
                continue
            self._health.well(PART)
            backoff.reset()
            if not is_busy:
                await self._until_news(stop)

    async def _turn(self, group: asyncio.TaskGroup) -> bool:
        """Begin what can be begun; tell whether there may be more of it."""
        made = await self._deliveries.make()
        free = self._settings.concurrency - len(self._attempts)
        claimed = await self._deliveries.claim(free, self._under_way) if free else []
        for due in claimed:
            self._begin(group, due)
        return made or bool(claimed)

    def _begin(self, group: asyncio.TaskGroup, due: Due) -> None:
        task = group.create_task(self._attempt(due))
        self._attempts.add(task)
        self._under_way[due.webhook_id] += 1

        def ended(task: asyncio.Task[None]) -> None:
            self._attempts.discard(task)
            self._under_way -= Counter([due.webhook_id])
            self._news.set()

        task.add_done_callback(ended)

    async def _until_news(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._news, stop)]
        await asyncio.wait(waits, timeout=self._settings.poll_interval_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _attempt(self, due: Due) -> None:
        with ATTEMPT_SECONDS.time():
            answer = await self._answer(due)
        try:
            if answer.fault:
                await self._tell_failure(due, answer)
            else:
                await self._deliveries.succeeded(due, answer.status_code or 0)
                ATTEMPTS.labels("delivered").inc()
        except POSTGRES_TROUBLE as error:  # the lease ends, and it is attempted once more
            log.warning("the outcome of a delivery is lost", webhook=str(due.webhook_id), error=repr(error))

    async def _answer(self, due: Due) -> Answer:
        """Return what came of sending; what broke on our side is a failure too, so that it comes to an end some day."""
        try:
            return await self._send(due)
        except Exception as error:  # whatever one receiver brings about, the deliveries of all others go on
            log.exception("an attempt broke", webhook=str(due.webhook_id), sequence=due.sequence)
            return Answer(None, f"The attempt broke on our side ({type(error).__name__}).")

    async def _send(self, due: Due) -> Answer:
        event = due.event()
        if event is None:
            return Answer(None, "The event is no longer in the log.")
        try:
            secret = open_secret(self._sealer, due.row)
        except SealBroken as error:
            return Answer(None, f"The secret that signs cannot be opened: {error}.")
        # A dot parts what is signed, so there must be none in the id.
        message = Message(event.id.replace(".", "-"), event_as_json(event))
        return await self._sender.send(due.url, secret, message)

    async def _tell_failure(self, due: Due, answer: Answer) -> None:
        delay_s = retry_delay(self._settings.retry_delays_s, due.attempts + 1, answer.retry_after_s)
        is_disabled = await self._deliveries.failed(due, answer, delay_s)
        ATTEMPTS.labels("failed" if delay_s is None else "retried").inc()
        about = {"webhook": str(due.webhook_id), "sequence": due.sequence, "attempt": due.attempts + 1}
        log.info("a delivery failed", **about, fault=answer.fault, again_in_s=delay_s and round(delay_s, 1))
        if is_disabled:
            DISABLED.inc()
            log.warning("a webhook is disabled", **about, fault=answer.fault)

    async def tidy(self) -> None:
        """Count what is pending and delete old deliveries, now and then, until cancelled."""
        while True:
            with contextlib.suppress(*POSTGRES_TROUBLE):  # the courier says so on the health page
                await self._deliveries.forget_old()
                PENDING.set(await self._deliveries.count_pending())
            await asyncio.sleep(TIDY_EVERY_S)
