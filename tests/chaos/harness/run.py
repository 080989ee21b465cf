"""One run: break things while clients work, mend all, wait until nothing is left to do, and judge."""

import asyncio
from collections import Counter
from pathlib import Path

from services.kit.postgres import POSTGRES_TROUBLE
from tests.chaos.harness.breaking import Breaker
from tests.chaos.harness.clients import Clients, open_clients
from tests.chaos.harness.followers import Follower
from tests.chaos.harness.history import History
from tests.chaos.harness.plan import planned
from tests.chaos.harness.replay import replayed
from tests.chaos.harness.report import Check, Progress, Report
from tests.chaos.harness.resources import Held, resource_check
from tests.chaos.harness.stored import stored_checks
from tests.chaos.harness.told import client_checks, feed_check
from tests.chaos.harness.totals import tell
from tests.chaos.harness.truth import Tail, commands_topic, events_topic, lags, open_tail, read_truth
from tests.chaos.harness.world import World, open_world
from tests.support.services import eventually

LIVENESS_S = 90.0
CALM_S = 5.0
FEEDS_S = 60.0
TELL_EVERY_S = 5.0


async def run(seed: int, seconds: float, folder: Path, progress: Progress, *, until_wrong: bool = False) -> Report:
    """Return what is to be told of one run; what it left is in `folder`.

    One that goes on until something is wrong breaks nothing more once a client has seen that.
    """
    report, history = Report(seed, seconds), History()
    progress.say("starting Kafka, Postgres and ten processes")
    async with open_world(folder) as world:
        if world.why_no_disks:
            progress.say(f"left out: full disks, because {world.why_no_disks}")
        breaker = Breaker(world, history, progress, planned(seed, seconds), seconds)
        async with open_clients(world, history, seed) as clients:
            progress.say("everything is up: breaking it now")
            held = await _safety(world, history, breaker, clients, progress, until_wrong=until_wrong)
            await _liveness(world, history, clients, report, progress)
        report.checks.append(await resource_check(world, held))
        report.checks.append(await _ended(world, progress))
        progress.say("reading and judging what is stored")
        truth = await read_truth(world.settings)
        partitions = world.settings.kafka.partitions
        replay = await asyncio.to_thread(replayed, truth.commands, partitions, truth.environments)
        report.checks += stored_checks(truth, replay)
        report.checks += client_checks(truth, history)
        report.checks.append(feed_check(truth, {each.environment: each.ids for each in clients.followers}))
    history.write(folder / "history.jsonl")
    tell(report, world, history, breaker, held)
    report.took_s = progress.elapsed_s
    report.first_wrong_s = None if history.wrong_at is None else progress.since_start(history.wrong_at)
    return report


async def _safety(
    world: World, history: History, breaker: Breaker, clients: Clients, progress: Progress, *, until_wrong: bool
) -> Held:
    """Break things while everybody works, mend all of it, and have everybody work on for a moment."""
    held = Held()
    async with asyncio.TaskGroup() as group:
        for work in clients.work():
            group.create_task(work)
        telling = group.create_task(_tell_on(world, history, held, progress))
        await (_until_wrong(history, breaker) if until_wrong else breaker.run())
        await breaker.heal()
        progress.say("everything is mended")
        await asyncio.sleep(CALM_S)
        clients.stop.set()
        telling.cancel()
    return held


async def _until_wrong(history: History, breaker: Breaker) -> None:
    """Break things until a client sees that something is wrong, at most for the whole of the plan."""
    breaking, wrong = asyncio.create_task(breaker.run()), asyncio.create_task(history.is_wrong.wait())
    try:
        await asyncio.wait((breaking, wrong), return_when=asyncio.FIRST_COMPLETED)
    finally:
        wrong.cancel()
        breaking.cancel()
        ended = await asyncio.gather(breaking, wrong, return_exceptions=True)
    if isinstance(ended[0], Exception):
        raise ended[0]


async def _tell_on(world: World, history: History, held: Held, progress: Progress) -> None:
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        progress.count(history)
        held.look(world)


async def _liveness(world: World, history: History, clients: Clients, report: Report, progress: Progress) -> None:
    """Wait until nothing is left to do, ask for what is unknown, and wait once more."""
    check, began = Check("everything is done within a deadline once all is mended"), progress.elapsed_s
    report.checks.append(check)
    settings = world.settings
    async with (
        open_tail(settings, commands_topic(settings)) as commands,
        open_tail(settings, events_topic(settings)) as events,
    ):
        left = await _until_done(world, commands, events)
        check.hold(not left, f"left after {LIVENESS_S:g} s: {left}")
        report.healed_in_s = progress.elapsed_s - began
        progress.say(f"nothing is left to do; asking again for {len(list(history.unresolved()))} of which nobody knows")
        unknown = await clients.settle(history)
        check.hold(not unknown, f"{len(unknown)} are unknown after all: {unknown[:3]}")
        left = await _until_done(world, commands, events)
        check.hold(not left, f"left after all was asked again: {left}")
    heads = _heads(events)
    progress.say(f"{sum(heads.values())} events are published; waiting for the live feeds")
    is_told = await _are_told(clients.followers, heads)
    check.hold(is_told, f"the feeds told {[len(each.ids) for each in clients.followers]} of {dict(heads)}")


async def _until_done(world: World, commands: Tail, events: Tail) -> dict[str, int]:
    """Return what is left to do when the deadline is over; nothing, as soon as nothing is left."""
    left: dict[str, int] = {"not known": 1}
    deadline = asyncio.get_running_loop().time() + LIVENESS_S
    while left and asyncio.get_running_loop().time() < deadline:
        try:
            left = {what: number for what, number in (await lags(world.settings, commands, events)).items() if number}
        except POSTGRES_TROUBLE as trouble:
            left = {f"Postgres cannot be read: {trouble!r}": 1}
        await asyncio.sleep(0.5)
    return left


def _heads(events: Tail) -> Counter[str]:
    """Return how many events each environment has in its history."""
    headers = (dict(each.headers) for records in events.records.values() for each in records)
    return Counter(each["ce_environment"].decode() for each in headers if "ce_sequence" in each)


async def _are_told(followers: list[Follower], heads: Counter[str]) -> bool:
    """Tell whether the feeds come to the end of the histories in time."""
    try:
        await eventually(lambda: all(len(each.ids) >= heads[each.environment] for each in followers), FEEDS_S)
    except TimeoutError:
        return False
    return True


async def _ended(world: World, progress: Progress) -> Check:
    """Ask every process to end."""
    progress.say("asking every process to end")
    check = Check("every process ends with 0 within 15 s of SIGTERM")
    for wrong in await asyncio.gather(*(part.end() for part in world.parts.values())):
        check.hold(wrong is None, str(wrong))
    return check
