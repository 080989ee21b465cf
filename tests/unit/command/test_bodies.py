"""Bodies: JSON, or a form where one is allowed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request

from events.codec import MAX_DEPTH
from events.refusals import Code, Refused
from services.command.bodies import read_json, read_step

from .conftest import MakeRequest

Reader = Callable[[Request], Awaitable[dict[str, Any]]]


async def read_fields(request: Request) -> dict[str, Any]:
    async with read_step(request, 0) as (fields, _):
        return fields


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", " application/json ;a=b"],
)
@pytest.mark.parametrize("read", [read_json, read_fields])
async def test_a_json_object_is_read(make_request: MakeRequest, content_type: str, read: Reader) -> None:
    request = make_request({"Content-Type": content_type}, b'{"a": [1, null, true, "\\u00e9"]}')
    assert await read(request) == {"a": [1, None, True, "é"]}


async def test_a_form_is_read_where_it_is_allowed(make_request: MakeRequest) -> None:
    request = make_request({"Content-Type": f"{FORM}; charset=utf-8"}, b"inputs[0][name]=a")
    async with read_step(request, 0) as (fields, archive):
        assert (fields["inputs"], archive) == ([{"name": "a"}], None)


@pytest.mark.parametrize("content_type", [None, "", "text/plain", FORM, "multipart/form-data; boundary=x", "json"])
async def test_another_content_type_is_refused_with_the_right_one(
    make_request: MakeRequest, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    with pytest.raises(Refused) as caught:
        await read_json(make_request(headers, b"{}"))
    assert caught.value.code is Code.UNSUPPORTED_MEDIA_TYPE
    given = "none" if content_type is None else content_type
    assert caught.value.message == f"The content type is {given}; send application/json."


async def test_where_a_form_is_allowed_both_types_are_named(make_request: MakeRequest) -> None:
    with pytest.raises(Refused, match=f"send application/json, {FORM} or multipart/form-data"):
        await read_fields(make_request({"Content-Type": "text/plain"}))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'a': 1}", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 1000, b"a=1", b"{}{}"]
)
async def test_a_body_that_is_not_json_is_refused(make_request: MakeRequest, body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        await read_json(make_request({"Content-Type": "application/json"}, body))
    assert caught.value.code is Code.INVALID_JSON
    assert caught.value.message.startswith("This is not JSON: ")


async def test_a_body_that_is_nested_too_deep_is_refused(make_request: MakeRequest) -> None:
    body = b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"
    assert await read_json(make_request({"Content-Type": "application/json"}, body))
    with pytest.raises(Refused, match="nested more than"):
        await read_json(make_request({"Content-Type": "application/json"}, body.replace(b"[]", b"[[]]")))


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"[]", "a list"), (b'"a"', "a text"), (b"1", "a number"), (b"true", "true"), (b"null", "null")],
)
async def test_json_that_is_no_object_is_refused(make_request: MakeRequest, body: bytes, kind: str) -> None:
    with pytest.raises(Refused) as caught:
        await read_json(make_request({"Content-Type": "application/json"}, body))
    assert (caught.value.code, caught.value.message) == (
        Code.INVALID_BODY,
        f"The body is {kind}; send a JSON object.",
    )
