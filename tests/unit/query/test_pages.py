"""One resource's page, and the versions that a client has already."""

from typing import Any

import httpx
import pytest
from asyncpg import CharacterNotInRepertoireError

from .conftest import Postgres, Row

DOCUMENT = '{"pipeline_name":"churn", "as":"stored"}'


@pytest.fixture(autouse=True)
def asked(postgres: Postgres) -> list[tuple[Any, ...]]:
    """Keep a pipeline `churn` at version 17; return what is asked for."""
    asked: list[tuple[Any, ...]] = []

    def find(sql: str, given: tuple[Any, ...]) -> Row | None:
        asked.append(given)
        return {"document": DOCUMENT, "version": 17} if given == ("lab", "churn") else None

    postgres.find = find
    return asked


@pytest.mark.parametrize("kind", ["pipelines", "deployments"])
async def test_a_page_is_sent_as_it_is_stored_with_its_tag(http: httpx.AsyncClient, kind: str) -> None:
    response = await http.get(f"/{kind}/churn")
    assert (response.status_code, response.text, response.headers["etag"]) == (200, DOCUMENT, '"17"')
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("known", ['"17"', 'W/"17"', '"3", "17"', '"3",W/"17" ', "*", " * "])
async def test_a_client_that_has_this_version_is_told_so(http: httpx.AsyncClient, known: str) -> None:
    response = await http.get("/pipelines/churn", headers={"If-None-Match": known})
    assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", '"17"')


@pytest.mark.parametrize("known", ["", '"16"', 'W/"170"', "17", '"3", "4"', '"1", "7"'])
async def test_a_client_that_has_another_version_gets_the_page(http: httpx.AsyncClient, known: str) -> None:
    assert (await http.get("/pipelines/churn", headers={"If-None-Match": known})).status_code == 200


@pytest.mark.parametrize("kind", ["pipeline", "deployment"])
async def test_what_is_not_there_is_not_found(http: httpx.AsyncClient, kind: str) -> None:
    response = await http.get(f"/{kind}s/ghost", headers={"If-None-Match": "*"})
    assert (response.status_code, response.json()["name"]) == (404, f"{kind}_not_found")
    assert response.json()["additional_data"] == {f"{kind}_name": "ghost"}


@pytest.mark.parametrize(
    ("path", "name"), [("my%20pipeline", "my pipeline"), ("%F0%9F%98%80", "😀"), ("a%2Bb", "a+b"), ("a+b", "a+b")]
)
async def test_a_name_is_found_as_its_url_says_it(
    http: httpx.AsyncClient, asked: list[tuple[Any, ...]], path: str, name: str
) -> None:
    await http.get(f"/pipelines/{path}")
    assert asked == [("lab", name)]


@pytest.mark.parametrize("kind", ["pipelines", "deployments"])
async def test_what_never_ran_has_no_last_execution(http: httpx.AsyncClient, kind: str) -> None:
    response = await http.get(f"/{kind}/churn/executions/latest")
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("kind", ["pipeline", "deployment"])
async def test_what_is_not_there_has_no_executions_either(http: httpx.AsyncClient, kind: str) -> None:
    response = await http.get(f"/{kind}s/ghost/executions/latest")
    assert (response.status_code, response.json()["name"]) == (404, f"{kind}_not_found")


@pytest.mark.parametrize("path", ["/pipelines/a%00b", "/steps/%00", "/deployments/a%00/executions/latest"])
async def test_a_name_that_no_resource_can_have_is_not_found(
    http: httpx.AsyncClient, postgres: Postgres, path: str
) -> None:
    def find(sql: str, given: tuple[Any, ...]) -> Row | None:
        if any("\0" in text for text in given):
            raise CharacterNotInRepertoireError('invalid byte sequence for encoding "UTF8": 0x00')
        return None

    postgres.find = find
    assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/pipelines/", "/steps/", "/deployments/"])
async def test_an_empty_name_is_not_answered_with_the_list(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404
