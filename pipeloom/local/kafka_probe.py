"""Whether a broker answers a real client."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_TIMEOUT = 5.0
_GROUP = "pipeloom-ready"


async def answers(bootstrap_servers: str) -> bool:
    """Tell whether the broker serves metadata and coordinates consumer groups."""
    host, _, port = bootstrap_servers.rpartition(":")
    if not await _listens(host, int(port)):
        return False
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=int(_TIMEOUT * 1000))
    try:
        async with asyncio.timeout(_TIMEOUT):
            await client.start()
            await client.find_coordinator(_GROUP)
    except (KafkaError, TimeoutError, OSError):
        return False
    finally:
        await client.close()
    return True


async def _listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
