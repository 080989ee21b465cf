"""Measures how late the event loop is: what blocks it delays everybody."""

import asyncio

from services.kit.metrics import LOOP_LAG

EVERY_S = 0.25


async def measure_loop_lag() -> None:
    """Sleep over and over until cancelled, and tell how much too long each sleep was."""
    loop = asyncio.get_running_loop()
    while True:
        wanted = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        LOOP_LAG.observe(max(0.0, loop.time() - wanted))
