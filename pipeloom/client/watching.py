"""Following the events of an environment, over as many connections as it takes."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from pipeloom.client import flows, requests
from pipeloom.client.delivery import LONGEST_PAUSE_S, Flow
from pipeloom.client.errors import Unavailable, Unreadable
from pipeloom.client.session import Session
from pipeloom.client.sse import Message, Parser

Since = Literal["beginning", "now"] | int
TOKEN_EXPIRED = "token_expired"  # noqa: S105 - an event's name


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened in the environment. `sequence` is its place in the history, from 1 without gaps."""

    sequence: int
    type: str
    version: int
    subject: str
    time: str
    actor: str
    environment: str
    id: str
    command_id: str
    command_source: str
    is_result: bool
    data: dict[str, Any] = field(repr=False)
    traceparent: str | None = None


def event_of(message: Message) -> Event | None:
    """Return the event that a message tells; None when the message is about the stream. Raises Unreadable."""
    try:
        told = json.loads(message.data)
        if "specversion" not in told:
            return None
        _, name, version = told["type"].split(".")
        return Event(
            sequence=int(told["sequence"]),
            type=name,
            version=int(version.removeprefix("v")),
            subject=told["subject"],
            time=told["time"],
            actor=told["actor"],
            environment=told["environment"],
            id=told["id"],
            command_id=told["commandid"],
            command_source=told["commandsource"],
            is_result=told["result"],
            data=told["data"],
            traceparent=told.get("traceparent"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(
            "unreadable_answer", f"The stream told something that Pipeloom does not say: {message.data[:200]}"
        ) from error


class Subscription:
    """What is followed, and how far it has come; no network."""

    def __init__(
        self, session: Session, types: Iterable[str], subject: str | None, since: Since, pipeline: str | None = None
    ) -> None:
        """Begin `since` the beginning, now, or behind the event with that sequence."""
        self._session = session
        self._query: dict[str, Any] = {"type": [types] if isinstance(types, str) else list(types)}
        if subject:
            self._query["subject"] = subject
        if pipeline:
            self._query["pipeline"] = pipeline
        if isinstance(since, str):
            self._query["from"] = since
        self._parser = Parser(last_id="" if isinstance(since, str) else str(since))
        self._failures = 0
        self._has_begun = False
        self._token_expired = False

    def open(self) -> Flow[httpx.Response]:
        """Return the answer whose body is the stream, from where the last one ended."""
        self._parser.restart()
        self._token_expired = False
        response = yield from flows.stream(self._session, requests.events(self._query, self._parser.last_id))
        self._has_begun, self._failures = True, 0
        return response

    def read(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that are complete with `chunk`."""
        for message in self._parser.feed(chunk):
            event = event_of(message)
            if event is not None:
                yield event
            elif message.name == TOKEN_EXPIRED:
                self._token_expired = True
                self._session.drop_token()

    def pause_s(self, error: Exception | None) -> float:
        """Return how long to wait before the next connection. Raises `error` when there never was a first one."""
        if error and not self._has_begun:
            raise error
        if self._token_expired:
            return 0.0
        pause_s = self._parser.retry_s * 2.0**self._failures * random.uniform(0.5, 1.5)  # noqa: S311 - spreads clients
        self._failures = min(self._failures + 1, 10)
        return min(pause_s, LONGEST_PAUSE_S)


class Watch(Iterator[Event]):
    """An iterator that waits for the next event and never ends by itself.

    As a context manager it has begun when the block begins, and is closed when the block ends.
    """

    def __init__(self, subscription: Subscription, connect: Callable[[Flow[httpx.Response]], httpx.Response]) -> None:
        self._subscription = subscription
        self._connect = connect
        self._response: httpx.Response | None = None
        self._events = self._follow()

    def __enter__(self) -> Self:
        self._response = self._connect(self._subscription.open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Leave the stream; there is no next event."""
        self._events.close()
        self._hang_up()

    def _follow(self) -> Generator[Event, None, None]:
        while True:
            error: Exception | None = None
            try:
                self._response = self._response or self._connect(self._subscription.open())
                for chunk in self._response.iter_bytes():
                    yield from self._subscription.read(chunk)
            except (httpx.RequestError, Unavailable) as broken:
                error = broken
            finally:
                self._hang_up()
            time.sleep(self._subscription.pause_s(error))

    def _hang_up(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None


class AsyncWatch(AsyncIterator[Event]):
    """The same for asyncio."""

    def __init__(
        self, subscription: Subscription, connect: Callable[[Flow[httpx.Response]], Awaitable[httpx.Response]]
    ) -> None:
        self._subscription = subscription
        self._connect = connect
        self._response: httpx.Response | None = None
        self._events = self._follow()

    async def __aenter__(self) -> Self:
        self._response = await self._connect(self._subscription.open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def aclose(self) -> None:
        """Leave the stream; there is no next event."""
        await self._events.aclose()
        await self._hang_up()

    async def _follow(self) -> AsyncGenerator[Event, None]:
        while True:
            error: Exception | None = None
            try:
                self._response = self._response or await self._connect(self._subscription.open())
                async for chunk in self._response.aiter_bytes():
                    for event in self._subscription.read(chunk):
                        yield event
            except (httpx.RequestError, Unavailable) as broken:
                error = broken
            finally:
                await self._hang_up()
            await asyncio.sleep(self._subscription.pause_s(error))

    async def _hang_up(self) -> None:
        if self._response is not None:
            await self._response.aclose()
            self._response = None
