"""Errors over HTTP: one shape, whoever raised them."""

from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from events.refusals import Code, code_of
from services.kit.tokens import Identity, Tokens

KEYS = {
    "name",
    "message",
    "request_id",
    "additional_data",
    "type",
    "title",
    "status",
    "detail",
    "instance",
}


def told(response: httpx.Response) -> dict[str, Any]:
    """Return the problem that an answer tells, after checking its shape."""
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert set(body) == KEYS
    assert body["status"] == response.status_code
    assert body["title"] == code_of(body["name"]).meaning
    assert body["type"] == f"urn:pipeloom:problem:{body['name']}"
    assert isinstance(body["message"], str)
    assert body["detail"] == body["message"]
    assert body["instance"] == response.url.path
    assert isinstance(body["additional_data"], dict)
    return body


@pytest.mark.parametrize("code", Code)
async def test_a_refusal_is_told_with_its_own_status(http: httpx.AsyncClient, code: Code) -> None:
    response = await http.get(f"/refused/{code.value}")
    body = told(response)
    assert (response.status_code, body["name"]) == (code.http_status, code.value)
    assert (body["message"], body["additional_data"]) == ("Because of that.", {"culprit": "this one"})


async def test_a_problem_carries_the_requests_id(http: httpx.AsyncClient) -> None:
    response = await http.get("/refused/step_not_found", headers={"X-Request-Id": "r-1"})
    assert (told(response)["request_id"], response.headers["x-request-id"]) == ("r-1", "r-1")


@pytest.mark.parametrize(
    "code", ["kafka_unavailable", "postgres_unavailable", "overloaded", "outcome_unknown", "environment_overloaded"]
)
async def test_what_may_be_tried_again_says_when(http: httpx.AsyncClient, code: str) -> None:
    assert int((await http.get(f"/refused/{code}")).headers["retry-after"]) > 0


async def test_what_is_wrong_in_itself_is_not_to_be_tried_again(http: httpx.AsyncClient) -> None:
    assert "retry-after" not in (await http.get("/refused/step_not_found")).headers
    assert "retry-after" not in (await http.get("/refused/internal_error")).headers


@pytest.mark.parametrize("code", ["unauthenticated", "invalid_token", "expired_token"])
async def test_an_unknown_asker_is_told_how_to_authenticate(http: httpx.AsyncClient, code: str) -> None:
    assert (await http.get(f"/refused/{code}")).headers["www-authenticate"] == "Bearer"


async def test_a_problem_with_a_command_says_where_to_ask_for_it(http: httpx.AsyncClient) -> None:
    response = await http.get("/refused/outcome_unknown", params={"command_id": "c-1"})
    assert told(response)["additional_data"]["command_id"] == "c-1"
    assert response.headers["location"] == "/api/v1/commands/c-1"
    assert response.headers["pipeloom-command-id"] == "c-1"


async def test_a_problem_without_a_command_has_no_location(http: httpx.AsyncClient) -> None:
    response = await http.get("/refused/step_not_found")
    assert not {"location", "pipeloom-command-id"} & set(response.headers)


async def test_an_address_that_is_not_there_is_a_problem(http: httpx.AsyncClient) -> None:
    response = await http.get("/nowhere")
    assert (response.status_code, told(response)["name"]) == (404, "not_found")


async def test_a_trailing_slash_is_another_address(http: httpx.AsyncClient) -> None:
    assert (await http.get("/things/1/")).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
async def test_a_wrong_method_is_a_problem_that_names_all_the_right_ones(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/things/1")
    assert (response.status_code, told(response)["name"]) == (405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}


async def test_a_frameworks_own_error_keeps_its_headers(http: httpx.AsyncClient) -> None:
    response = await http.get("/framework/404")
    assert (response.status_code, told(response)["name"], response.headers["x-kept"]) == (404, "not_found", "yes")


async def test_a_frameworks_own_500_is_a_problem(http: httpx.AsyncClient) -> None:
    response = await http.get("/framework/500")
    assert (response.status_code, told(response)["name"]) == (500, "internal_error")


@pytest.mark.parametrize("status", [406, 413, 415, 431])
async def test_a_frameworks_refusal_is_not_told_as_our_fault(http: httpx.AsyncClient, status: int) -> None:
    assert 400 <= (await http.get(f"/framework/{status}")).status_code < 500


async def test_a_broken_request_is_a_problem_that_tells_no_secret(http: httpx.AsyncClient) -> None:
    with capture_logs() as logged:
        response = await http.get("/broken", headers={"X-Request-Id": "r-2"})
    assert (response.status_code, told(response)["name"], told(response)["request_id"]) == (
        500,
        "internal_error",
        "r-2",
    )
    assert "secret" not in response.text
    assert [each["event"] for each in logged] == ["a request broke", "a request was answered"]
    assert {each["path"] for each in logged} == {"/api/v1/broken"}


async def test_a_broken_requests_id_leads_to_it_in_the_logs(http: httpx.AsyncClient) -> None:
    with capture_logs() as logged:
        await http.get("/broken", headers={"X-Request-Id": "r-2"})
    assert "r-2" in str(logged)


async def test_a_broken_request_has_its_id_in_the_header_too(http: httpx.AsyncClient) -> None:
    with capture_logs():
        response = await http.get("/broken", headers={"X-Request-Id": "r-2"})
    assert response.headers.get("x-request-id") == "r-2"


async def test_a_wrong_parameter_is_named(http: httpx.AsyncClient) -> None:
    response = await http.get("/things/seven")
    body = told(response)
    assert (response.status_code, body["name"]) == (422, "invalid_parameter")
    assert [each["field"] for each in body["additional_data"]["fields"]] == ["number"]
    assert body["message"] == "number: must be a whole number."


@pytest.mark.parametrize("content", [b'{"number": "x"}', b"{}"], ids=["wrong type", "missing field"])
async def test_a_body_that_the_framework_reads_is_refused_with_its_field(
    http: httpx.AsyncClient, content: bytes
) -> None:
    response = await http.post("/typed", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert [each["field"] for each in told(response)["additional_data"]["fields"]] == ["number"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"{", "invalid_json"),
        (b"{}", "invalid_body"),
        (b"\xff", "invalid_json"),
    ],
)
async def test_a_wrong_body_has_the_same_code_whoever_reads_it(
    http: httpx.AsyncClient, content: bytes, name: str
) -> None:
    response = await http.post("/typed", content=content, headers={"Content-Type": "application/json"})
    assert told(response)["name"] == name


async def test_a_body_that_is_not_json_is_told_in_a_sentence(http: httpx.AsyncClient) -> None:
    response = await http.post("/typed", content=b"{", headers={"Content-Type": "application/json"})
    assert told(response)["message"].startswith("This is not JSON: Expecting property name")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b'{"number": "x"}', "number: must be a whole number."), (b"[]", "body: must be an object, and is a list.")],
)
async def test_a_wrong_body_is_told_in_the_words_of_json(http: httpx.AsyncClient, content: bytes, message: str) -> None:
    response = await http.post("/typed", content=content, headers={"Content-Type": "application/json"})
    assert told(response)["message"] == message


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "none"])
async def test_a_body_of_another_type_is_refused_with_the_one_to_send(http: httpx.AsyncClient, media_type: str) -> None:
    headers = {} if media_type == "none" else {"Content-Type": media_type}
    response = await http.post("/typed", content=b'{"number": 1}', headers=headers)
    assert (response.status_code, told(response)["name"]) == (415, "unsupported_media_type")
    assert told(response)["message"] == f"The content type is {media_type}; send application/json."


async def test_an_asker_is_whom_the_token_names(http: httpx.AsyncClient, tokens: Tokens) -> None:
    token = tokens.access_token(Identity("ada", "lab"))
    response = await http.get("/who", headers={"Authorization": f"Bearer {token}"})
    assert response.json() == ["ada", "lab"]


@pytest.mark.parametrize(
    ("headers", "name"),
    [({}, "unauthenticated"), ({"Authorization": "Bearer x"}, "invalid_token")],
    ids=["no token", "a bad token"],
)
async def test_nobody_is_let_in_without_a_good_token(
    http: httpx.AsyncClient, headers: dict[str, str], name: str
) -> None:
    response = await http.get("/who", headers=headers)
    assert (response.status_code, told(response)["name"]) == (401, name)
