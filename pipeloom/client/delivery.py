"""Gets a request to the service: what is tried again, how often, and what it means when it never worked.

Written as a generator that yields attempts and is told their replies, so that the sync and the async client share it.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from pipeloom.client.answers import TOO_MANY_REQUESTS, error_of, place_of, retry_after_s
from pipeloom.client.errors import OutcomeUnknown, PipeloomError, Unavailable
from pipeloom.client.requests import Request
from pipeloom.client.session import Session
from pipeloom.client.upload import Upload

T = TypeVar("T")
ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send this to httpx's `request`, after a pause."""

    arguments: dict[str, Any]
    after_s: float = 0.0
    upload: Upload | None = None

    def complete(self) -> dict[str, Any]:
        """Return the arguments, with the file that goes along. To pack it takes time, and raises OSError."""
        if self.upload is None:
            return self.arguments
        return {**self.arguments, "files": {"step_file": ("step_file", self.upload.opened(), "application/gzip")}}


Reply = httpx.Response | httpx.RequestError
Flow = Generator[Attempt, Reply, T]


@dataclass(frozen=True, slots=True)
class _Failure:
    error: PipeloomError
    is_worth_repeating: bool
    retry_after_s: float = 0.0


def deliver(session: Session, request: Request[Any], access_token: str | None) -> Flow[httpx.Response]:
    """Return the answer, good or refused. Raises Unavailable or OutcomeUnknown when there is none to be had."""
    unknown: OutcomeUnknown | None = None
    pause_s, attempts = request.after_s, 0
    while True:
        reply = yield Attempt(session.arguments(request, access_token), pause_s, request.upload)
        attempts += 1
        outcome = _judge(reply, request)
        if isinstance(outcome, httpx.Response):
            return outcome
        if isinstance(outcome.error, OutcomeUnknown):
            unknown = outcome.error
        pause_s = max(_pause_s(attempts), outcome.retry_after_s)
        if not outcome.is_worth_repeating or attempts == ATTEMPTS or pause_s > LONGEST_PAUSE_S:
            # Once a write may have arrived, a later refused connection does not make it undone.
            raise unknown or outcome.error


def _pause_s(attempts: int) -> float:
    return FIRST_PAUSE_S * 2.0 ** (attempts - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads clients, no secret


def _judge(reply: Reply, request: Request[Any]) -> httpx.Response | _Failure:
    if isinstance(reply, httpx.RequestError):
        return _failure_without_answer(reply, request)
    if reply.status_code < 500 and reply.status_code != TOO_MANY_REQUESTS:
        return reply
    error = error_of(reply, is_write=request.is_write)
    if request.is_write:
        error.details.setdefault("idempotency_key", request.idempotency_key)
    is_worth_repeating = reply.status_code in {TOO_MANY_REQUESTS, 503} or (
        reply.status_code == 504 and request.is_write
    )
    return _Failure(error, is_worth_repeating, retry_after_s(reply))


def _failure_without_answer(reply: httpx.RequestError, request: Request[Any]) -> _Failure:
    told = f"{place_of(reply.request)}: {str(reply) or type(reply).__name__}"
    if isinstance(reply, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)):
        return _Failure(Unavailable("unreachable", f"Nobody answers at {told}. Is the service running?"), True)
    is_timeout = isinstance(reply, httpx.TimeoutException)
    code = TIMED_OUT if is_timeout else "connection_lost"
    if not request.is_write:
        return _Failure(Unavailable(code, f"No answer from {told}."), not is_timeout)
    error = OutcomeUnknown(
        code,
        f"The request was sent, but no answer came from {told}. It may or may not take effect; repeat it with "
        f"idempotency key {request.idempotency_key} to learn which.",
        details={"idempotency_key": request.idempotency_key},
    )
    return _Failure(error, True)
