"""What HTTP asks of every route alike: HEAD beside GET, and a body that comes in time."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.refusals import Code, Refused

PLAIN = frozenset({"", "identity"})


class HeadAsGet:
    """Answers HEAD as GET is answered, without the body; the routes know of GET only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})

        await self._app({**scope, "method": "GET"}, receive, send_head)


def refusal_of_encoding(headers: Headers) -> Refused | None:
    """Return why a body that is compressed is not read, or None when it is as it stands."""
    encoding = headers.get("content-encoding", "").strip()
    if encoding.lower() in PLAIN:
        return None
    return Refused(
        Code.UNSUPPORTED_MEDIA_TYPE,
        f"The body is compressed (Content-Encoding: {encoding}), and compressed bodies are not read. "
        "Send it as it is, without Content-Encoding.",
    )


def timed(receive: Receive, within_s: float, silent_s: float) -> Receive:
    """Give a request's body `within_s` seconds to come whole, without a pause of `silent_s`.

    What comes behind it (a disconnect) may take its time.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + within_s
    is_whole = False

    async def received() -> Message:
        nonlocal is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(min(deadline, clock() + silent_s)):
                message = await receive()
        except TimeoutError as error:
            raise _late(within_s, silent_s) from error
        is_whole = not message.get("more_body", False)
        return message

    return received


def _late(within_s: float, silent_s: float) -> Refused:
    paused = f", or stopped for {silent_s:g} s" if silent_s < within_s else ""
    return Refused(
        Code.REQUEST_TIMEOUT,
        f"The body of the request did not come whole within {within_s:g} s{paused}; nothing was done. Send it again.",
    )
