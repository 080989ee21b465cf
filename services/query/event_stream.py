"""One reader's stream of Server-Sent Events: what is logged behind its place, page by page, and then what comes."""

import asyncio
import contextlib
import json
import time
from typing import NamedTuple

import structlog
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from events.refusals import Refused
from services.kit.places import Shares
from services.kit.watchers import Watchers
from services.query.event_pages import PAUSE_S, EventPages, Wanted
from services.query.metrics import STREAMS_ENDED, STREAMS_OPEN

RETRY_MS = 1_000
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

TOKEN_EXPIRED = "token_expired"  # noqa: S105 - an event's name
SHUTTING_DOWN = "shutting_down"
TOO_SLOW = "too_slow"
HISTORY_PRUNED = "history_pruned"
ENDINGS = {
    TOKEN_EXPIRED: "The access token has expired. Go on with a new one and the Last-Event-ID.",
    SHUTTING_DOWN: "This process ends. Connect again with the Last-Event-ID.",
    TOO_SLOW: "What was sent was not read in time. Connect again with the Last-Event-ID.",
    HISTORY_PRUNED: "The next events are no longer kept. Read the present state, and begin anew from=now.",
}

log = structlog.get_logger()


class Limits(NamedTuple):
    """How often a quiet stream gives a sign of life, and how long a reader may take, also when the process ends."""

    heartbeat_s: float = 15.0
    send_s: float = 30.0
    hurried_s: float = 2.0


class Place(NamedTuple):
    """Where a stream begins, and until when its reader's token counts (in seconds since 1970).

    `headers` say up to where the history was pruned, if it was.
    """

    after: int
    expires_at: float
    headers: dict[str, str] = {}


class EventStream(EventSourceResponse):
    """The answer that goes on until its reader leaves, its token expires, it reads too slowly or the process ends."""

    def __init__(
        self, pages: EventPages, watchers: Watchers, shares: Shares, wanted: Wanted, place: Place, limits: Limits
    ) -> None:
        """Tell what is `wanted` from `place` on."""
        super().__init__((), headers=HEADERS | place.headers)
        self._pages = pages
        self._watchers = watchers
        self._shares = shares
        self._wanted = wanted
        self._place = place
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Stream. Raises NoPlace, before anything was sent."""
        environment = self._wanted.environment
        with (
            self._shares.place(environment),
            self._watchers.watching(environment) as news,
            STREAMS_OPEN.track_inprogress(),
        ):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            gone = asyncio.ensure_future(_until_gone(receive, news))
            outlet = _Outlet(send, self._watchers.ended, self._limits)
            try:
                await self._follow(outlet, news, gone)
            finally:
                gone.cancel()
                await asyncio.wait({gone})

    async def _follow(self, outlet: "_Outlet", news: asyncio.Event, gone: "asyncio.Future[None]") -> None:
        after = self._place.after
        is_read = await outlet.put(format_sse_event(id=str(after), retry=RETRY_MS))
        while is_read and not gone.done():
            if ending := self._ending():
                await outlet.end(ending)
                return
            news.clear()
            page = await self._pages.behind(self._wanted, after)
            if page and page.has_gap:
                await outlet.end(HISTORY_PRUNED)
                return
            if page and page.covered > after:
                after = page.covered
                is_read = await outlet.put(page.chunk) if page.chunk else True
            else:
                await self._wait(news, outlet.heartbeat_in_s if page else PAUSE_S)
            if outlet.heartbeat_in_s <= 0:
                is_read = await outlet.put(format_sse_event(comment="heartbeat", id=str(after)))
        if not is_read:
            log.info("a reader of events was too slow", environment=self._wanted.environment, after=after)
            await outlet.end(TOO_SLOW)

    async def _wait(self, news: asyncio.Event, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(within_s, self._place.expires_at - time.time()))):
                await news.wait()

    def _ending(self) -> str | None:
        if self._watchers.ended.done():
            return SHUTTING_DOWN
        return TOKEN_EXPIRED if time.time() >= self._place.expires_at else None


class _Outlet:
    """Where a reader's bytes go; the server takes no more of them while the reader does not read."""

    def __init__(self, send: Send, ended: "asyncio.Future[None]", limits: Limits) -> None:
        self._send = send
        self._ended = ended
        self._limits = limits
        self._put_at = time.monotonic()

    @property
    def heartbeat_in_s(self) -> float:
        return self._put_at + self._limits.heartbeat_s - time.monotonic()

    async def put(self, chunk: bytes) -> bool:
        """Send; return whether it was taken in time, which is shorter when the process ends meanwhile."""
        self._put_at = time.monotonic()
        return await self._sent(chunk)

    async def end(self, ending: str) -> None:
        """Send the last event, and close; a reader that takes nothing any more does not get it."""
        STREAMS_ENDED.labels(ending).inc()
        told = json.dumps({"code": ending, "message": ENDINGS[ending]})
        await self._sent(format_sse_event(event=ending, data_str=told, retry=RETRY_MS), more=False)

    async def _sent(self, chunk: bytes, *, more: bool = True) -> bool:
        message = {"type": "http.response.body", "body": chunk, "more_body": more}
        sending = asyncio.ensure_future(self._send(message))
        try:
            await asyncio.wait({sending, self._ended}, timeout=self._limits.send_s, return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done():
                await asyncio.wait({sending}, timeout=self._limits.hurried_s)
        finally:
            is_taken = sending.done()
            sending.cancel()
            await asyncio.wait({sending})
        if is_taken:
            sending.result()
        return is_taken


async def _until_gone(receive: Receive, news: asyncio.Event) -> None:
    with contextlib.suppress(Refused):  # for a body that nobody asked for and that does not come, or is too large
        while (await receive())["type"] != "http.disconnect":
            pass
    news.set()
