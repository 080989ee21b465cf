"""Calls from the first token to the last answer, for the sync and the async client alike."""

import math
import time
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from pipeloom.client import requests
from pipeloom.client.answers import error_of, place_of, value_of
from pipeloom.client.delivery import TIMED_OUT, Flow, deliver
from pipeloom.client.documents import Command, Step
from pipeloom.client.errors import NotFound, OutcomeUnknown, Unavailable, Unreadable
from pipeloom.client.refusals import StepFailed
from pipeloom.client.requests import EVENT_STREAM, HELD_TIMEOUT_S, Request
from pipeloom.client.session import Session

T = TypeVar("T")
UNAUTHENTICATED = 401
ASK_AGAIN_S = 0.25
LONGEST_COMMAND_WAIT_S = 60
FAILED = {"failed", "creation_failed"}


def exchange(session: Session, request: Request[T]) -> Flow[T]:
    """Return what the service answers to `request`."""
    value: T = value_of((yield from _response_to(session, request)), request.shape)
    return value


def find(session: Session, request: Request[T]) -> Flow[T | None]:
    """Return what the service answers, or None when what is asked for does not exist."""
    try:
        return (yield from exchange(session, request))
    except NotFound as error:
        if error.code != request.absent:
            raise
        return None


def submit(session: Session, request: Request[Any]) -> Flow[str]:
    """Return the id of the command that a write became, once Kafka has it."""
    if not request.is_write:
        raise ValueError("submit sends writes; a read has no command")
    response = yield from _response_to(session, replace(request, prefer="respond-async"))
    value_of(response, dict)
    command_id = response.headers.get("pipeloom-command-id")
    if not command_id:
        raise Unreadable("unreadable_answer", "The answer names no command. Is the address right?")
    return str(command_id)


def page(session: Session, request: Request[T]) -> Flow[tuple[T, Request[T] | None]]:
    """Return one page of a list, and what asks for the next one, or None when it is the last."""
    response = yield from _response_to(session, request)
    rows: T = value_of(response, request.shape)
    link = response.links.get("next", {}).get("url")
    return rows, replace(request, query=dict(httpx.URL(link).params)) if link else None


def all_of(session: Session, request: Request[list[T]], limit: int | None) -> Flow[list[T]]:
    """Return what a list holds, page by page, up to `limit` entries; a page may be empty and not the last."""
    found: list[T] = []
    rest: Request[list[T]] | None = request
    while rest is not None and (limit is None or len(found) < limit):
        rows, rest = yield from page(session, rest)
        found += rows
    return found[:limit]


def built_step(session: Session, request: Request[Step], name: str, *, wait: bool, timeout_s: float) -> Flow[Step]:
    """Return the document of a step that is created or updated: Pending at once, or Ready when it is waited for."""
    deadline = time.monotonic() + timeout_s
    document = yield from exchange(session, request)
    pause_s = 0.0
    while wait and _status(document) != "ready":
        if _status(document) in FAILED:
            raise _step_failed(name, document)
        if time.monotonic() >= deadline:
            raise OutcomeUnknown(
                "step_pending",
                f"The step '{name}' is still Pending after {timeout_s:g} s. Its build goes on: ask with get_step, "
                "and see whether a builder is running.",
            )
        patience_s = min(HELD_TIMEOUT_S, max(deadline - time.monotonic(), 1.0))
        asked = requests.step_once_built(name, patience_s, after_s=pause_s)
        document = (yield from _unless_timed_out(session, asked)) or document
        pause_s = ASK_AGAIN_S
    return document


def download(session: Session, step_name: str) -> Flow[bytes]:
    """Return the code of a step, as the gzip tar that is kept of it; its signed URL takes no access token."""
    answer = yield from exchange(session, requests.download_of(step_name))
    url = answer.get("signed_url")
    if not isinstance(url, str):
        raise Unreadable("unreadable_answer", "The answer names no signed_url. Is the address right?")
    response = yield from deliver(session, requests.content_at(url), None)
    if not response.is_success:
        raise error_of(response, is_write=False)
    return response.content


def stream(session: Session, request: Request[Any]) -> Flow[httpx.Response]:
    """Return the answer whose body goes on; it is still to be read, and to be closed."""
    response = yield from _response_to(session, request)
    if not is_stream(response):
        value_of(response, dict)
        raise Unreadable("unreadable_answer", f"{place_of(response.request)} is no stream. Is the address right?")
    return response


def is_stream(response: httpx.Response) -> bool:
    """Tell whether an answer is a stream of events."""
    return response.is_success and response.headers.get("content-type", "").startswith(EVENT_STREAM)


def get_command(session: Session, command_id: str, wait_s: float) -> Flow[Command]:
    """Return what became of a command; asked again while there is no result and `wait_s` is not over."""
    deadline = time.monotonic() + wait_s
    while True:
        remaining_s = math.ceil(deadline - time.monotonic())
        document = yield from exchange(session, requests.command(command_id, min(remaining_s, LONGEST_COMMAND_WAIT_S)))
        if document.get("status") != "unknown" or time.monotonic() >= deadline:
            return document


def _response_to(session: Session, request: Request[Any]) -> Flow[httpx.Response]:
    """Return the answer to `request`; an access token that the service no longer takes is replaced once."""
    response = yield from deliver(session, request, (yield from _access_token(session)))
    if response.status_code == UNAUTHENTICATED:
        session.drop_token()
        response = yield from deliver(session, request, (yield from _access_token(session)))
    return response


def _unless_timed_out(session: Session, request: Request[T]) -> Flow[T | None]:
    try:
        return (yield from exchange(session, request))
    except Unavailable as error:
        if error.code != TIMED_OUT:
            raise
        return None


def _step_failed(name: str, document: Step) -> StepFailed:
    told = document["creation_info"]
    return StepFailed(
        "step_failed",
        f"The step '{name}' could not be built: {told.get('failure') or 'no reason is given'}",
        details={"step_name": name, "failure_code": told.get("failure_code")},
    )


def _status(document: Step) -> str:
    creation_info = document.get("creation_info")
    return str(creation_info.get("status")).lower() if isinstance(creation_info, dict) else "unknown"


def _access_token(session: Session) -> Flow[str]:
    token = session.fresh_token()
    if token is not None:
        return token
    response = yield from deliver(session, requests.refresh(session.sdk_token), None)
    answer: dict[str, Any] = value_of(response, dict)
    access_token = answer.get("access_token")
    if not isinstance(access_token, str):
        raise Unreadable("unreadable_answer", "The answer to the refresh holds no access token. Is the address right?")
    session.keep_token(access_token)
    return access_token
