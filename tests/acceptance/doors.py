"""The clients that have the page's four functions, with one way to call them and one way to be refused."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from craft_ai_sdk import CraftAiSdk, SdkException

from pipeloom.client import AsyncClient, Client, Refused

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
async def open_sdk(url: str, sdk_token: str) -> AsyncIterator[CraftAiSdk]:
    """Give an unmodified craft-ai-sdk."""
    sdk = CraftAiSdk(sdk_token=sdk_token, environment_url=url, control_url=url)
    try:
        yield sdk
    finally:
        sdk._session.close()  # it offers no way to close its connections


@asynccontextmanager
async def _sdk_door(url: str, sdk_token: str) -> AsyncIterator[Door]:
    async with open_sdk(url, sdk_token) as sdk:
        yield _door(sdk, _threaded)


@asynccontextmanager
async def _client_door(url: str, sdk_token: str) -> AsyncIterator[Door]:
    with Client(url, sdk_token) as client:
        yield _door(client, _threaded)


@asynccontextmanager
async def _async_client_door(url: str, sdk_token: str) -> AsyncIterator[Door]:
    async with AsyncClient(url, sdk_token) as client:
        yield _door(client, _awaited)


DOORS: dict[str, Callable[[str, str], AbstractAsyncContextManager[Door]]] = {
    "craft-ai-sdk": _sdk_door,
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
    except SdkException as error:
        raise DoorRefused(error.name, error.status_code, error.message, error.additional_data) from error
    except Refused as error:
        raise DoorRefused(error.code, error.status or 0, error.message, error.details) from error
