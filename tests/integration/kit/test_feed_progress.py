"""What the watchdog sees of the live feed."""

from typing import Any

from services.kit.health import Health
from services.kit.kafka import transactional_producer
from services.kit.live import PART, WHAT, LiveEvents
from services.kit.postgres import Pool
from services.kit.process import running
from services.kit.progress import Place
from services.kit.settings import Settings
from tests.support.installation import Log, unique
from tests.support.services import eventually


async def produce(settings: Settings, topic: str, *, is_aborted: bool) -> None:
    """Write three records to the first partition in one transaction."""
    producer: Any = transactional_producer(settings.kafka, unique("tests"))
    await producer.start()
    try:
        await producer.begin_transaction()
        for _ in range(3):
            await producer.send_and_wait(topic, b"none of ours", partition=0)
        await (producer.abort_transaction() if is_aborted else producer.commit_transaction())
    finally:
        await producer.stop()


async def test_a_feed_that_reads_on_has_nothing_waiting_whatever_ends_the_topic(
    installation: Settings, pool: Pool, log: Log
) -> None:
    health, place = Health(), Place(WHAT, 0)
    live = LiveEvents(installation.kafka, installation.postgres, pool, health)
    async with running(live.run()):
        await eventually(lambda: health.is_well(PART))
        for round_, is_aborted in enumerate((False, True), start=1):
            await produce(installation, log.events_topic, is_aborted=is_aborted)

            async def is_read(end: int = 4 * round_) -> bool:
                seen = (await live.look())[place]
                return seen.waiting == 0 and seen.position in {end, end - 1}

            await eventually(is_read)


async def test_a_feed_that_does_not_read_is_seen_to_stand_where_it_was(
    installation: Settings, pool: Pool, log: Log
) -> None:
    # Given a feed that was there and is no more
    health, place = Health(), Place(WHAT, 0)
    live = LiveEvents(installation.kafka, installation.postgres, pool, health)
    async with running(live.run()):
        await eventually(lambda: health.is_well(PART))
    # When
    await produce(installation, log.events_topic, is_aborted=False)
    # Then
    seen = (await live.look())[place]
    await live._ends.close()
    assert (seen.waiting, seen.position) == (3, 0)
