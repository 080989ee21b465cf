"""Delivers what is due: makes deliveries of new events, claims some, and attempts them side by side."""

import asyncio
from collections.abc import Mapping

import structlog

from events.structured import event_as_json
from services.kit.backoff import Backoff
from services.kit.health import Health
from services.kit.notices import Ranges
from services.kit.postgres import POSTGRES_TROUBLE
from services.kit.progress import Place, Seen
from services.kit.reasons import reason_of
from services.kit.sealing import SealBroken, Sealer
from services.kit.settings import WebhooksSettings
from services.kit.watchdog import TURNS
from services.kit.webhook_secrets import open_secret
from services.webhooks.deliveries import NOTHING, Deliveries, Due
from services.webhooks.metrics import ATTEMPT_SECONDS, ATTEMPTS, DISABLED
from services.webhooks.resolving import NoPlaceError
from services.webhooks.schedule import retry_delay
from services.webhooks.sending import Answer, Message, Sender
from services.webhooks.turns import Turns

PART = "deliveries"
WHAT = "webhooks with a delivery that is due"
DRAIN_S = 8.0
# A name that could not be looked up for want of a place is tried again before long.
AGAIN_S = 2.0

log = structlog.get_logger()


class Courier:
    """One process's share of the deliveries. All processes together attempt each at least once."""

    def __init__(
        self, deliveries: Deliveries, sealer: Sealer, sender: Sender, settings: WebhooksSettings, health: Health
    ) -> None:
        self._deliveries = deliveries
        self._sealer = sealer
        self._sender = sender
        self._settings = settings
        self._health = health
        self._turns = Turns(settings.poll_interval_s, asyncio.get_running_loop().time)
        self._under_way: dict[asyncio.Task[None], Due] = {}
        self._begun = 0
        health.expect(PART)

    def on_notice(self, _: Ranges) -> None:
        """Look for new events."""
        self._turns.events()

    async def look(self) -> Mapping[Place, Seen]:
        """Return what is due and how much was begun here, for the watchdog. Raises what Postgres did."""
        return {
            TURNS: Seen(1, self._health.turns),
            Place(WHAT): Seen(await self._deliveries.count_webhooks_due(), self._begun),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; then let the attempts under way end, for DRAIN_S seconds at most."""
        async with asyncio.TaskGroup() as group:
            await self._work(group, stop)
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=DRAIN_S)
            for late in self._under_way:
                late.cancel()  # its lease ends, and another process attempts it

    async def _work(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        backoff = Backoff()
        while not stop.is_set():
            try:
                await self._turn(group)
            except POSTGRES_TROUBLE as error:
                self._health.ill(PART, f"deliveries cannot be claimed: {reason_of(error)}")
                self._turns.everything()
                await backoff.wait(stop)
                continue
            self._health.well(PART)
            self._health.turned()
            backoff.reset()
            await self._turns.wait(stop)

    async def _turn(self, group: asyncio.TaskGroup) -> None:
        """Begin what can be begun."""
        turn = self._turns.begin()
        if turn.looks_for_webhooks:
            self._turns.has_webhooks = await self._deliveries.are_there_webhooks()
        if not self._turns.has_webhooks:
            return
        made = await self._deliveries.make() if turn.looks_for_events else NOTHING
        if made.events:  # there may be more of them
            self._turns.events()
        is_due = turn.looks_for_due or made.deliveries > 0
        if is_due and len(self._under_way) < self._settings.concurrency:
            for due in await self._deliveries.claim(self._under_way.values()):
                self._begin(group, due)

    def _begin(self, group: asyncio.TaskGroup, due: Due) -> None:
        task = group.create_task(self._attempt(due))
        self._under_way[task] = due
        self._begun += 1

        def ended(task: asyncio.Task[None]) -> None:
            del self._under_way[task]
            self._turns.places()

        task.add_done_callback(ended)

    async def _attempt(self, due: Due) -> None:
        """Attempt a delivery and note what came of it; nothing that one of them brings about ends the others."""
        try:
            with ATTEMPT_SECONDS.time():
                answer = await self._answer(due)
            await self._tell(due, answer)
        except POSTGRES_TROUBLE as error:  # the lease ends, and it is attempted once more
            log.warning("the outcome of a delivery is lost", webhook=str(due.webhook_id), error=repr(error))
        except Exception:
            log.exception("the outcome of a delivery is lost", webhook=str(due.webhook_id), sequence=due.sequence)

    async def _answer(self, due: Due) -> Answer | None:
        """Return what came of sending; None when it was not even tried.

        What broke on our side is a failure too, so that it comes to an end some day.
        """
        try:
            return await self._send(due)
        except NoPlaceError:
            return None
        except Exception as error:
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
        message = Message(event.id.replace(".", "-"), event_as_json(event), due.environment)
        return await self._sender.send(due.url, secret, message)

    async def _tell(self, due: Due, answer: Answer | None) -> None:
        if answer is None:
            await self._deliveries.give_back(due, AGAIN_S)
            ATTEMPTS.labels("postponed").inc()
        elif answer.fault:
            await self._tell_failure(due, answer)
        else:
            await self._deliveries.succeeded(due, answer.status_code or 0)
            ATTEMPTS.labels("delivered").inc()

    async def _tell_failure(self, due: Due, answer: Answer) -> None:
        delay_s = retry_delay(self._settings.retry_delays_s, due.attempts + 1, answer.retry_after_s)
        is_disabled = await self._deliveries.failed(due, answer, delay_s)
        ATTEMPTS.labels("failed" if delay_s is None else "retried").inc()
        about = {"webhook": str(due.webhook_id), "sequence": due.sequence, "attempt": due.attempts + 1}
        log.info("a delivery failed", **about, fault=answer.fault, again_in_s=delay_s and round(delay_s, 1))
        if is_disabled:
            DISABLED.inc()
            log.warning("a webhook is disabled", **about, fault=answer.fault)
