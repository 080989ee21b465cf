"""Lists: complete, in order, page by page or streamed."""

import json
import re
from typing import Any

import httpx
import pytest

from services.query import lists

from .conftest import Postgres, Row

PAGE = 3


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", PAGE)


class Table:
    """A table of pipelines in one environment, and what was asked of it."""

    def __init__(self, postgres: Postgres, names: list[str]) -> None:
        self.names = names
        self.pages: list[int] = []
        self.environments: set[str] = set()
        postgres.list = self.page

    def page(self, sql: str, given: tuple[Any, ...]) -> list[Row]:
        environment, after, size = given
        self.environments.add(environment)
        behind = [name for name in sorted(self.names, key=str.encode) if name.encode() > after.encode()]
        self.pages.append(len(behind[:size]))
        return [{"name": name, "summary": json.dumps({"pipeline_name": name})} for name in behind[:size]]


def names_in(response: httpx.Response) -> list[str]:
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    return [each["pipeline_name"] for each in response.json()]


def named(number: int) -> list[str]:
    return [f"p{each:03}" for each in range(number)]


@pytest.mark.parametrize("number", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1, 50])
async def test_a_list_is_complete_and_in_order_whatever_its_length(
    http: httpx.AsyncClient, postgres: Postgres, number: int
) -> None:
    table = Table(postgres, named(number))
    response = await http.get("/pipelines")
    assert names_in(response) == named(number)
    assert "link" not in response.headers
    assert table.environments == {"lab"}


@pytest.mark.parametrize("kind", ["pipelines", "steps", "deployments"])
async def test_every_kind_of_resource_is_listed(http: httpx.AsyncClient, postgres: Postgres, kind: str) -> None:
    Table(postgres, named(PAGE + 1))
    assert names_in(await http.get(f"/{kind}")) == named(PAGE + 1)


async def test_a_long_list_is_never_held_as_a_whole(http: httpx.AsyncClient, postgres: Postgres) -> None:
    table = Table(postgres, named(50))
    await http.get("/pipelines")
    assert max(table.pages) <= PAGE + 1


async def test_a_list_that_changes_while_it_is_streamed_repeats_nothing(
    http: httpx.AsyncClient, postgres: Postgres
) -> None:
    # Given
    table = Table(postgres, named(10))
    stable = table.page

    def changing(sql: str, given: tuple[Any, ...]) -> list[Row]:
        rows = stable(sql, given)
        table.names = [*table.names[1:], f"a{len(table.pages)}"]
        return rows

    postgres.list = changing
    # When
    found = names_in(await http.get("/pipelines"))
    # Then
    assert found == sorted(set(found))
    assert set(named(10)) <= set(found)


@pytest.mark.parametrize("limit", [1, 2, PAGE])
async def test_following_the_links_finds_everything_once(
    http: httpx.AsyncClient, postgres: Postgres, limit: int
) -> None:
    names = sorted(["a", "b c", "d&e=f", "+", "é", "模型", '"', "z" * 255], key=str.encode)
    Table(postgres, names)
    found, address = [], f"/api/v1/pipelines?limit={limit}"
    while address:
        response = await http.get(f"http://pipeloom.test{address}")
        assert len(response.json()) <= limit
        found += names_in(response)
        address = next_address(response)
    assert found == names


def next_address(response: httpx.Response) -> str:
    link = response.headers.get("link")
    if link is None:
        return ""
    match = re.fullmatch(r'<(.+)>; rel="next"', link)
    assert match
    return match[1]


async def test_the_last_page_has_no_link(http: httpx.AsyncClient, postgres: Postgres) -> None:
    Table(postgres, named(2))
    response = await http.get("/pipelines", params={"limit": 2})
    assert (names_in(response), "link" in response.headers) == (named(2), False)


async def test_a_list_may_start_behind_a_name(http: httpx.AsyncClient, postgres: Postgres) -> None:
    Table(postgres, named(10))
    assert names_in(await http.get("/pipelines", params={"after": "p004"})) == named(10)[5:]
    assert names_in(await http.get("/pipelines", params={"after": "p004", "limit": 2})) == named(10)[5:7]


@pytest.mark.parametrize(
    "params",
    [{"limit": "0"}, {"limit": "1001"}, {"limit": "-1"}, {"limit": "all"}, {"after": "x" * 256}, {"after": "a\0b"}],
    ids=str,
)
async def test_a_page_that_cannot_be_is_refused(
    http: httpx.AsyncClient, postgres: Postgres, params: dict[str, str]
) -> None:
    response = await http.get("/pipelines", params=params)
    assert (response.status_code, response.json()["name"]) == (422, "invalid_parameter")


async def test_a_list_that_cannot_be_read_is_unavailable(http: httpx.AsyncClient, postgres: Postgres) -> None:
    def away(sql: str, given: tuple[Any, ...]) -> list[Row]:
        raise ConnectionError("Postgres is away")

    postgres.list = away
    response = await http.get("/pipelines")
    assert (response.status_code, response.json()["name"]) == (503, "postgres_unavailable")
    assert "retry-after" in response.headers
