"""Looks names up on threads of its own: some at once, and of one environment no more than a few of them."""

import asyncio
import socket
import threading
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address

from services.kit.peers import Address
from services.kit.webhook_urls import literal_address

LOOKUPS = 16
LOOKUPS_EACH = 3


class NoPlaceError(Exception):
    """All lookups that there may be are under way."""


class Resolver:
    """Places for lookups. One that was given up keeps its place until the system's resolver lets go of its thread."""

    def __init__(self, most: int = LOOKUPS, most_each: int = LOOKUPS_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._under_way: Counter[str] = Counter()
        self._freed = asyncio.Event()

    async def begin(self, host: str, environment: str, within_s: float) -> asyncio.Future[list[Address]]:
        """Return the addresses of `host` to be, once there is a place for the lookup. Raises NoPlaceError.

        An address is its own answer and takes no place.
        """
        found: asyncio.Future[list[Address]] = asyncio.get_running_loop().create_future()
        literal = literal_address(host)
        if literal is not None:
            found.set_result([literal])
            return found
        await self._take_place(environment, within_s)
        self._start(host, environment, found)
        return found

    async def _take_place(self, environment: str, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while self._under_way.total() >= self._most or self._under_way[environment] >= self._most_each:
                    await self._freed.wait()
        except TimeoutError as error:
            raise NoPlaceError("no name could be looked up in time") from error
        self._under_way[environment] += 1

    def _start(self, host: str, environment: str, found: asyncio.Future[list[Address]]) -> None:
        loop = asyncio.get_running_loop()

        def ended(outcome: list[Address] | Exception) -> None:
            self._free_place(environment)
            if found.done():  # given up meanwhile
                return
            if isinstance(outcome, Exception):
                found.set_exception(outcome)
            else:
                found.set_result(outcome)

        def work() -> None:
            outcome = _looked_up(host)
            with suppress(RuntimeError):  # the process ended meanwhile
                loop.call_soon_threadsafe(ended, outcome)

        # A thread that hangs in the resolver must not keep the process from ending, as those of an executor would.
        threading.Thread(target=work, name="webhook lookup", daemon=True).start()

    def _free_place(self, environment: str) -> None:
        self._under_way -= Counter([environment])
        self._freed.set()
        self._freed = asyncio.Event()


def _looked_up(host: str) -> list[Address] | Exception:
    try:
        places = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(ip_address(place[0]) for *_, place in places))
    except (OSError, ValueError) as error:  # a name that cannot be encoded is a ValueError
        return error
