"""Both of our own clients behind one way of calling."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from pipeloom.client import AsyncClient, Client
from tests.acceptance.doors import in_thread

CLIENTS = [Client, AsyncClient]

Ask = Callable[..., Awaitable[Any]]


def asking(client: Client | AsyncClient) -> Ask:
    """Return a function that calls a method of either client by its name."""

    async def ask(method: str, *arguments: Any, **options: Any) -> Any:
        function = getattr(client, method)
        if inspect.iscoroutinefunction(function):
            return await function(*arguments, **options)
        return await in_thread(function, *arguments, **options)

    return ask


async def close(client: Client | AsyncClient) -> None:
    if isinstance(client, AsyncClient):
        await client.aclose()
    else:
        client.close()
