"""Ends a process whose work stands still while its servers answer: the supervisor starts it again."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from aiokafka.errors import KafkaError

from services.kit.health import Health
from services.kit.metrics import GAVE_UP, HELD_UP
from services.kit.postgres import POSTGRES_TROUBLE
from services.kit.probes import KAFKA_PART, POSTGRES_PART
from services.kit.progress import HeldUp, OwnTime, Place, Progress, Seen

PART = "progress"
TURNS = Place("turns of its loop")
EVERY_S = 3.0
# Work that stands still for less is no news.
TELL_AFTER_S = 15.0
BOTH = (KAFKA_PART, POSTGRES_PART)

log = structlog.get_logger()

Look = Callable[[], Awaitable[Mapping[Place, Seen]]]


class Watchdog:
    """Looks again and again at what waits, and gives up when nothing moves."""

    def __init__(self, after_s: float, health: Health, look: Look, servers: Collection[str] = BOTH) -> None:
        """Give up after `after_s` seconds (0: never) without progress, during which none of `servers` was ill.

        They are parts of the health page. A look that raises what Kafka or Postgres did is an outage too.
        """
        self._after_s = after_s
        self._health = health
        self._look = look
        self._servers = servers
        self._progress = Progress()
        self._every_s = min(EVERY_S, after_s / 4) if after_s else EVERY_S
        self._tell_after_s = min(TELL_AFTER_S, after_s / 2) if after_s else TELL_AFTER_S
        self._told: set[Place] = set()
        health.well(PART)

    async def run(self) -> None:
        """Look until cancelled, or until it has given up."""
        clock = asyncio.get_running_loop().time
        own_time = OwnTime(clock(), 2 * self._every_s)
        while self._health.gave_up is None:
            await self._see(lambda: own_time.passed(clock()))
            self._tell()
            self._judge()
            await asyncio.sleep(self._every_s)

    async def _see(self, passed_s: Callable[[], float]) -> None:
        try:
            seen = await self._look()
        except (KafkaError, *POSTGRES_TROUBLE):  # the health page says what it is, by the parts that ask all the time
            self._progress.see_nothing(passed_s())
        else:
            is_outage = any(self._health.troubles.get(each) for each in self._servers)
            self._progress.see(passed_s(), seen, is_outage=is_outage)

    def _tell(self) -> None:
        places = {each.place: each for each in self._progress.places}
        for place in self._told - places.keys():
            HELD_UP.remove(*_labels(place))
        self._told = set(places)
        for place, each in places.items():
            HELD_UP.labels(*_labels(place)).set(each.still_s)
        held_up = [each for each in places.values() if each.still_s >= self._tell_after_s]
        if not held_up:
            self._health.well(PART)
            return
        if self._health.is_well(PART):
            log.warning("work is held up", what=[str(each.place) for each in held_up], trouble=self._trouble())
        self._health.ill(PART, self._reason(held_up))

    def _judge(self) -> None:
        over = [each for each in self._progress.places if each.counted_s >= self._after_s > 0]
        if over:
            GAVE_UP.inc()
            self._health.give_up(f"ended by its watchdog: {self._reason(over)}")

    def _reason(self, held_up: Collection[HeldUp]) -> str:
        return "; ".join([*map(_sentence, held_up), *filter(None, [self._trouble()])])

    def _trouble(self) -> str:
        """Return the last errors, as the other parts tell them."""
        troubles = {part: trouble for part, trouble in self._health.troubles.items() if trouble and part != PART}
        return ", ".join(f"{part}: {trouble}" for part, trouble in troubles.items())


def _labels(place: Place) -> tuple[str, str]:
    return place.what, "" if place.partition is None else str(place.partition)


def _sentence(held: HeldUp) -> str:
    since = datetime.now(UTC) - timedelta(seconds=held.still_s)
    what = "no turn is taken" if held.place == TURNS else f"{held.place}: {held.seen.waiting} waiting"
    return f"{what}, no progress since {since:%Y-%m-%dT%H:%M:%SZ} ({held.still_s:.0f} s) at {held.seen.position}"
