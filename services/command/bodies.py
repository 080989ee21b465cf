"""Reads request bodies: JSON, or a form with bracketed keys, into plain values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from starlette.datastructures import UploadFile
from starlette.requests import Request

from events.codec import read_json as parse_json
from events.refusals import Code, Refused
from events.wording import kind_of
from services.command.forms import read_form, step_of_form
from services.command.uploads import read_upload
from services.kit.web import MULTIPART

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


class StepBody(NamedTuple):
    """The fields of a step, and the archive of its source where one was uploaded."""

    fields: dict[str, Any]
    archive: UploadFile | None


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request. Raises Refused: unsupported_media_type, invalid_json, invalid_body."""
    if _media_type(request) != JSON_TYPE:
        raise _unsupported(request, JSON_TYPE)
    return _object(await request.body())


@asynccontextmanager
async def read_step(request: Request, max_upload_bytes: int) -> AsyncIterator[StepBody]:
    """Give a step that was sent as a JSON object or as a form; its archive is there for the length of the block.

    Raises Refused as read_json, and payload_too_large.
    """
    match _media_type(request):
        case "application/json":
            yield StepBody(_object(await request.body()), None)
        case "application/x-www-form-urlencoded":
            yield StepBody(step_of_form(read_form(await request.body())), None)
        case "multipart/form-data":
            async with read_upload(request, max_upload_bytes) as (form, archive):
                yield StepBody(step_of_form(read_form(form)), archive)
        case _:
            raise _unsupported(request, f"{JSON_TYPE}, {FORM_TYPE} or {MULTIPART}")


async def refuse_form(request: Request) -> None:
    """Raise Refused stepless_pipeline when a pipeline is asked for as newer clients ask for one from code."""
    if _media_type(request) not in {FORM_TYPE, MULTIPART}:
        return
    async for _ in request.stream():  # a client that still sends would see a reset instead of the answer
        pass
    raise Refused(
        Code.STEPLESS_PIPELINE,
        "Pipelines are composed of steps here, not created from code. Create the step first (POST /api/v1/steps takes "
        "the same fields, with step_name), then send JSON with pipeline_name and step_names; with craft-ai-sdk: "
        "create_step(step_name=...), then create_pipeline(pipeline_name=..., step_name=...).",
    )


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
