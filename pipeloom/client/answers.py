"""Reads answers: the value of a good one, the error that a bad one tells."""

from types import NoneType
from typing import Any

import httpx

from pipeloom.client.errors import (
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    PipeloomError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from pipeloom.client.refusals import BY_CODE

LONGEST_EXCERPT = 200
TOO_MANY_REQUESTS = 429

_KINDS: dict[int, type[Refused]] = {401: Unauthenticated, 404: NotFound, 409: Conflict, 412: Conflict}


def value_of(response: httpx.Response, shape: type[Any]) -> Any:
    """Return the JSON value of a good answer, of no matter which when None is wanted. Raises PipeloomError."""
    if response.status_code >= 400:
        raise error_of(response, is_write=False)
    value = None if shape is NoneType else _json(response)
    if not 200 <= response.status_code < 300 or not isinstance(value, shape):
        raise Unreadable(
            "unreadable_answer",
            f"{place_of(response.request)} answered {response.status_code} with something that Pipeloom does not say"
            f"{_excerpt(response)}. Is the address right?",
            status=response.status_code,
        )
    return value


def error_of(response: httpx.Response, *, is_write: bool) -> PipeloomError:
    """Return the error that an answer of 400 or more tells, whoever wrote it: the service or a proxy before it."""
    body = _json(response)
    fields = body if isinstance(body, dict) else {}
    details = fields.get("additional_data")
    details = details if isinstance(details, dict) else {}
    command_id = _text(details.get("command_id"))
    code = _text(fields.get("name")) or f"http_{response.status_code}"
    may_take_effect = is_write and _may_take_effect(response.status_code, command_id)
    return _kind(response.status_code, code, may_take_effect=may_take_effect)(
        code,
        _text(fields.get("message")) or _stand_in(response),
        status=response.status_code,
        details=details,
        request_id=_text(fields.get("request_id")),
        command_id=command_id or _command_in(response.headers.get("location", "")),
    )


def retry_after_s(response: httpx.Response) -> float:
    """Return the pause that the service asks for; 0 when it asks for none in seconds."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def place_of(request: httpx.Request) -> str:
    """Return where a request went, without its query, which may be a signature, and through which proxy."""
    proxy = request.extensions.get("proxy")
    address = str(request.url.copy_with(query=None))
    return f"{address} (through the proxy {proxy})" if proxy else address


def _kind(status: int, code: str, *, may_take_effect: bool) -> type[PipeloomError]:
    if status == TOO_MANY_REQUESTS:
        return Unavailable
    if status < 500:
        return BY_CODE.get(code) or _KINDS.get(status, Invalid)
    return OutcomeUnknown if may_take_effect else Unavailable


def _may_take_effect(status: int, command_id: str | None) -> bool:
    """Return whether a failed write may have been sent on: a 503 says so by naming the command (kafka_unavailable)."""
    return status != 503 or command_id is not None


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _stand_in(response: httpx.Response) -> str:
    reason = f"{response.status_code} {response.reason_phrase}".strip()
    return f"{place_of(response.request)} answered {reason}, without a reason of Pipeloom's{_excerpt(response)}."


def _excerpt(response: httpx.Response) -> str:
    text = " ".join(response.text.split())[:LONGEST_EXCERPT]
    return f": {text}" if text else ""


def _command_in(location: str) -> str | None:
    _, found, command_id = location.rpartition("/commands/")
    return command_id if found else None
