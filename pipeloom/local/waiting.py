"""Says why a start takes so long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pipeloom.local.progress import Progress

_PATIENCE = 5.0


@asynccontextmanager
async def told_why(part: str, why: Callable[[], str], report: Progress) -> AsyncIterator[None]:
    """While the block lasts, say what `part` waits for: after some seconds, and again when that has changed."""
    telling = asyncio.create_task(_tell(part, why, report), name=f"tell why {part} waits")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(part: str, why: Callable[[], str], report: Progress) -> None:
    waited, told = 0.0, None
    while True:
        await asyncio.sleep(_PATIENCE)
        waited += _PATIENCE
        reason = why()
        if reason != told:
            report.say(part, f"not ready after {waited:.0f} s: {reason}")
        told = reason
