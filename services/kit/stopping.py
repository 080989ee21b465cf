"""Stops Kafka clients, also those that do not want to."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from services.kit.clients import Stoppable

STOP_S = 5.0
FORCE_S = 1.0

log = structlog.get_logger()


async def stop_client(client: Stoppable) -> None:
    """Stop a client within about STOP_S, whatever state Kafka and the client are in. Raises nothing of the client's.

    Its `stop()` may wait for ever (a producer flushes batches that never expire) and may raise a CancelledError that
    is not ours (a consumer awaits the fetch that it cancelled). So it runs in a task of its own.
    """
    if await _done(client.stop(), STOP_S) or not isinstance(client, AIOKafkaProducer):
        return
    # A flush that was given up leaves the sender and the connections behind.
    await _done(client._sender.close(), FORCE_S)
    await _done(client.client.close(), FORCE_S)


async def _done(stopping: Coroutine[Any, Any, Any], within_s: float) -> bool:
    task = asyncio.create_task(stopping)
    try:
        await asyncio.wait({task}, timeout=within_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=FORCE_S)
    if task.done() and not task.cancelled() and task.exception() is not None:
        log.info("a Kafka client complained when it was stopped", error=repr(task.exception()))
    return task.done() and not task.cancelled()
