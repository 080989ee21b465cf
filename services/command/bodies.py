"""Reads request bodies: JSON, or a form with bracketed keys, into plain values."""

from typing import Any

from starlette.requests import Request

from events.codec import read_json as parse_json
from events.refusals import Code, Refused
from events.wording import kind_of
from services.command.forms import read_form, step_of_form

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request. Raises Refused: unsupported_media_type, invalid_json, invalid_body."""
    if _media_type(request) != JSON_TYPE:
        raise _unsupported(request, JSON_TYPE)
    return _object(await request.body())


async def read_step(request: Request) -> dict[str, Any]:
    """Return the fields of a step, sent as a JSON object or as a form. Raises Refused as read_json."""
    match _media_type(request):
        case "application/json":
            return _object(await request.body())
        case "application/x-www-form-urlencoded":
            return step_of_form(read_form(await request.body()))
        case _:
            raise _unsupported(request, f"{JSON_TYPE} or {FORM_TYPE}")


async def read_form_fields(request: Request) -> dict[str, Any]:
    """Return the fields of a form, every value as text. Raises Refused: unsupported_media_type, invalid_body."""
    if _media_type(request) != FORM_TYPE:
        raise _unsupported(request, FORM_TYPE)
    return read_form(await request.body())


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _object(body: bytes) -> dict[str, Any]:
    fields = parse_json(body)
    if not isinstance(fields, dict):
        raise Refused(Code.INVALID_BODY, f"The body is {kind_of(fields)}; send a JSON object.")
    return fields


def _unsupported(request: Request, wanted: str) -> Refused:
    given = request.headers.get("content-type", "none")
    return Refused(Code.UNSUPPORTED_MEDIA_TYPE, f"The content type is {given}; send {wanted}.")
