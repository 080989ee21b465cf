"""The clients that have the page's four functions, with one way to call them and one way to be refused."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeloom.client import AsyncClient, Client, Refused
from tests.acceptance.contract.remote import Driver, SdkError, open_sdk

CALL_S = 60.0

Call = Callable[..., Awaitable[Any]]


class DoorRefused(Exception):  # noqa: N818 - it names what happened, as in Refused
    """What a client said of a refusal."""

    def __init__(self, code: str, status: int, message: str, details: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = details


@dataclass(frozen=True)
class Door:
    """The functions of the page "Compose a pipeline"."""

    create_pipeline: Call
    get_pipeline: Call
    list_pipelines: Call
    delete_pipeline: Call


async def in_thread(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function that waits without a deadline of its own."""
    return await asyncio.wait_for(asyncio.to_thread(function, *arguments, **options), CALL_S)


@asynccontextmanager
async def sdk_door(driver: Driver, url: str, sdk_token: str) -> AsyncIterator[Door]:
    """Give the functions of a craft-ai-sdk, unmodified."""
    async with open_sdk(driver, url, sdk_token) as sdk:
        yield _door(sdk, _awaited)


@asynccontextmanager
async def _client_door(url: str, sdk_token: str) -> AsyncIterator[Door]:
    with Client(url, sdk_token) as client:
        yield _door(client, _threaded)


@asynccontextmanager
async def _async_client_door(url: str, sdk_token: str) -> AsyncIterator[Door]:
    async with AsyncClient(url, sdk_token) as client:
        yield _door(client, _awaited)


OWN_DOORS: dict[str, Callable[[str, str], AbstractAsyncContextManager[Door]]] = {
    "Client": _client_door,
    "AsyncClient": _async_client_door,
}


def _door(client: Any, call: Call) -> Door:
    return Door(
        create_pipeline=partial(call, client.create_pipeline),
        get_pipeline=partial(call, client.get_pipeline),
        list_pipelines=partial(call, client.list_pipelines),
        delete_pipeline=partial(call, client.delete_pipeline),
    )


async def _threaded(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with _refusals_alike():
        return await in_thread(function, *arguments, **options)


async def _awaited(function: Call, *arguments: Any, **options: Any) -> Any:
    with _refusals_alike():
        return await asyncio.wait_for(function(*arguments, **options), CALL_S)


@contextlib.contextmanager
def _refusals_alike() -> Iterator[None]:
    try:
        yield
    except SdkError as error:
        raise DoorRefused(error.name or "", error.status_code or 0, error.message, error.additional_data) from error
    except Refused as error:
        raise DoorRefused(error.code, error.status or 0, error.message, error.details) from error
