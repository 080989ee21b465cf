"""One attempt: a signed POST with a deadline, to a checked address, of which no redirect and little answer is taken."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpcore
import httpx
from standardwebhooks import Webhook

from services.kit.peers import Address, PeerRules
from services.kit.settings import WebhooksSettings
from services.webhooks.network import CheckedBackend
from services.webhooks.resolving import Resolver

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
CONNECT_S = 5.0
ANSWER_BYTES = 4096
ANSWER_S = 2.0
OK, MULTIPLE_CHOICES, BAD_REQUEST, GONE, TOO_MANY_REQUESTS, UNAVAILABLE = 200, 300, 400, 410, 429, 503
TROUBLE = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the same id and the same body in every attempt; and for which environment."""

    id: str
    body: str
    environment: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt: the receiver's status if it sent one, and what was wrong, which is empty for nothing."""

    status_code: int | None
    fault: str = ""
    retry_after_s: float | None = None

    @property
    def is_gone(self) -> bool:
        """Tell whether the receiver wants no more events."""
        return self.status_code == GONE


class Sender:
    """Sends messages, each over a connection of its own."""

    def __init__(self, settings: WebhooksSettings) -> None:
        self._timeout_s = settings.timeout_s
        self._agent = f"Pipeloom/{version('pipeloom')} (webhooks)"
        self._tls = httpx.create_ssl_context()
        self._rules = PeerRules(settings.allowed_networks)
        self._resolver = Resolver()

    async def send(self, url: str, secret: str, message: Message) -> Answer:
        """Return what came of posting `message` to `url`, within the deadline.

        Raises NoPlaceError when its host could not even be looked up for want of a place: that is not the receiver's.
        """
        target = httpx.URL(url)
        within_s = min(CONNECT_S, self._timeout_s / 2)
        found = await self._resolver.begin(target.raw_host.decode("ascii"), message.environment, within_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await _addresses(target.host, found)
                return await self._post(target, addresses, self._headers(secret, message), message.body.encode())
        except TimeoutError:
            return Answer(None, f"No answer came within {self._timeout_s:g} s.")
        except TROUBLE as error:
            return Answer(None, f"The receiver could not be reached: {str(error) or type(error).__name__}.")

    def _headers(self, secret: str, message: Message) -> list[tuple[str, str]]:
        now = datetime.now(UTC)
        return [
            ("User-Agent", self._agent),
            ("Content-Type", CONTENT_TYPE),
            ("Accept", "*/*"),
            ("Connection", "close"),
            ("webhook-id", message.id),
            ("webhook-timestamp", str(int(now.timestamp()))),
            ("webhook-signature", Webhook(secret).sign(message.id, now, message.body)),
        ]

    async def _post(
        self, target: httpx.URL, addresses: list[Address], headers: list[tuple[str, str]], body: bytes
    ) -> Answer:
        sent = [("Host", target.netloc.decode("ascii")), ("Content-Length", str(len(body))), *headers]
        where = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
        backend = CheckedBackend(self._rules, addresses)
        timeouts = {"timeout": {"connect": CONNECT_S}}
        async with (
            httpcore.AsyncHTTPConnection(where.origin, self._tls, network_backend=backend) as connection,
            connection.stream("POST", where, headers=sent, content=body, extensions=timeouts) as response,
        ):
            await _read_a_little(response)
            return judged(response)


async def _addresses(host: str, found: asyncio.Future[list[Address]]) -> list[Address]:
    try:
        async with asyncio.timeout(CONNECT_S):
            return await found
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from error
    except (OSError, ValueError) as error:
        raise httpcore.ConnectError(f"the name {host} cannot be resolved ({error})") from error


async def _read_a_little(response: httpcore.Response) -> None:
    """Let an ordinary answer come to its end; whatever is longer, or takes longer, is cut. Its status counts."""
    size = 0
    with suppress(*TROUBLE):
        async with asyncio.timeout(ANSWER_S):
            async for chunk in response.aiter_stream():
                size += len(chunk)
                if size > ANSWER_BYTES:
                    return


def judged(response: httpcore.Response) -> Answer:
    """Return what a receiver's answer means."""
    status = response.status
    if OK <= status < MULTIPLE_CHOICES:
        return Answer(status)
    if MULTIPLE_CHOICES <= status < BAD_REQUEST:
        return Answer(
            status, f"The receiver answered {status}, a redirect, which is not followed; set url to where it leads."
        )
    retry_after_s = _retry_after(response) if status in {TOO_MANY_REQUESTS, UNAVAILABLE} else None
    return Answer(status, f"The receiver answered {status}.", retry_after_s)


def _retry_after(response: httpcore.Response) -> float | None:
    """Return how long the receiver wants to be left alone: seconds, or until a date."""
    given = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"").decode("latin-1")
    if given.isascii() and given.isdigit() and len(given) < 10:
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, one that no clock reaches
        return None
