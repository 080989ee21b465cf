"""Calls from the first token to the last answer, for the sync and the async client alike."""

import math
import time
from typing import Any, TypeVar

from pipeloom.client import requests
from pipeloom.client.answers import value_of
from pipeloom.client.delivery import TIMED_OUT, Flow, deliver
from pipeloom.client.errors import NotFound, OutcomeUnknown, Refused, Unavailable, Unreadable
from pipeloom.client.requests import HELD_TIMEOUT_S, Document, Request
from pipeloom.client.session import Session

T = TypeVar("T")
UNAUTHENTICATED = 401
ASK_AGAIN_S = 0.25
LONGEST_COMMAND_WAIT_S = 60
FAILED = {"failed", "creation_failed"}


def exchange(session: Session, request: Request[T]) -> Flow[T]:
    """Return what the service answers to `request`; an access token it no longer takes is replaced once."""
    response = yield from deliver(session, request, (yield from _access_token(session)))
    if response.status_code == UNAUTHENTICATED:
        session.drop_token()
        response = yield from deliver(session, request, (yield from _access_token(session)))
    return value_of(response, request.shape)


def find(session: Session, request: Request[T]) -> Flow[T | None]:
    """Return what the service answers, or None when what is asked for does not exist."""
    try:
        return (yield from exchange(session, request))
    except NotFound as error:
        if error.code != request.absent:
            raise
        return None


def create_step(session: Session, request: Request[Document], *, wait: bool, timeout_s: float) -> Flow[Document]:
    """Return the step's document: Pending at once, or Ready when it is waited for."""
    deadline = time.monotonic() + timeout_s
    document = yield from exchange(session, request)
    name = str((request.body or {}).get("step_name"))
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


def get_command(session: Session, command_id: str, wait_s: float) -> Flow[Document]:
    """Return what became of a command; asked again while there is no result and `wait_s` is not over."""
    deadline = time.monotonic() + wait_s
    while True:
        remaining_s = math.ceil(deadline - time.monotonic())
        document = yield from exchange(session, requests.command(command_id, min(remaining_s, LONGEST_COMMAND_WAIT_S)))
        if document.get("status") != "unknown" or time.monotonic() >= deadline:
            return document


def _unless_timed_out(session: Session, request: Request[T]) -> Flow[T | None]:
    try:
        return (yield from exchange(session, request))
    except Unavailable as error:
        if error.code != TIMED_OUT:
            raise
        return None


def _step_failed(name: str, document: Document) -> Refused:
    failure = document["creation_info"].get("failure") or "no reason is given"
    return Refused("step_failed", f"The step '{name}' could not be built: {failure}", details={"step_name": name})


def _status(document: Document) -> str:
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
