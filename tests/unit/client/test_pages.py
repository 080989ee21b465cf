"""Lists that are read page by page."""

from typing import Any

import pytest

from pipeloom import AsyncClient, NotFound

from .conftest import Caller, Service

KINDS = ("steps", "pipelines", "deployments")


async def read(call: Caller, kind: str, **options: Any) -> list[Any]:
    pages = getattr(call.client, f"iter_{kind}")(**options)
    return [row async for row in pages] if isinstance(call.client, AsyncClient) else list(pages)


@pytest.mark.parametrize("kind", KINDS)
async def test_all_pages_are_read_one_after_the_other(call: Caller, service: Service, kind: str) -> None:
    link = f'</api/v1/{kind}?limit=2&after=b%26c>; rel="next"'
    service.answers(200, [{"name": "a"}, {"name": "b&c"}], {"Link": link}).answers(200, [{"name": "d"}])

    rows = await read(call, kind, page_size=2)

    assert [row["name"] for row in rows] == ["a", "b&c", "d"]
    assert [request.url.raw_path.decode() for request in service.requests] == [
        f"/api/v1/{kind}?limit=2",
        f"/api/v1/{kind}?limit=2&after=b%26c",
    ]


async def test_a_page_is_asked_for_when_it_is_needed(call: Caller, service: Service) -> None:
    service.answers(200, [{"name": "a"}], {"Link": '</api/v1/steps?limit=1&after=a>; rel="next"'})
    pages: Any = call.client.iter_steps(page_size=1)

    first = await anext(pages) if isinstance(call.client, AsyncClient) else next(pages)

    assert first == {"name": "a"}
    assert service.request.url.params["limit"] == "1"


async def test_an_empty_list_has_no_rows(call: Caller, service: Service) -> None:
    service.answers(200, [])
    assert await read(call, "pipelines") == []


async def test_a_refusal_ends_the_pages(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "not_found", "message": "No such address"})
    with pytest.raises(NotFound):
        await read(call, "pipelines")
