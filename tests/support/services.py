"""Runs services inside the test's own event loop, on a real installation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.kit.health import Health
from services.kit.settings import Settings

Main = Callable[[Settings, Health, asyncio.Event], Awaitable[None]]

READY_S = 30.0
POLL_S = 0.01


async def eventually(condition: Callable[[], bool | Awaitable[bool]], within_s: float = READY_S) -> None:
    """Return once `condition` holds. Raises TimeoutError when it does not in time."""
    async with asyncio.timeout(within_s):
        while True:
            holds = condition()
            if isinstance(holds, Awaitable):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def running_service(
    main: Main, settings: Settings, until: Callable[[Health], bool] = lambda health: health.is_ready
) -> AsyncIterator[Health]:
    """Run a service until the block ends, from when `until` holds of its health; its failure fails the test."""
    health, stop = Health(), asyncio.Event()
    task = asyncio.ensure_future(main(settings, health, stop))
    try:
        await eventually(lambda: task.done() or until(health))
        yield health
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)
