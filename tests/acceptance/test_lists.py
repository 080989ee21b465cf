"""Lists are complete and in the byte order of names, in one piece or page by page."""

from itertools import chain

import httpx
import pytest

from events.commands import PipelineRequested
from tests.acceptance.doors import Door
from tests.acceptance.tenant import Tenant

MANY = 1_234


async def create_many(tenant: Tenant, names: list[str]) -> None:
    """Create pipelines by Kafka in one go; return when the last one is there."""
    commands = await tenant.ask(*(PipelineRequested(pipeline_name=name, step_names=["train"]) for name in names))
    await tenant.result(commands[-1])


async def pages(tenant: Tenant, address: str) -> list[httpx.Response]:
    """Follow a list from page to page."""
    answers = [await tenant.http.get(address)]
    while "next" in answers[-1].links:
        answers.append(await tenant.http.get(answers[-1].url.join(answers[-1].links["next"]["url"])))
    return answers


def names_in(answers: list[httpx.Response]) -> list[list[str]]:
    return [[each["pipeline_name"] for each in answer.json()] for answer in answers]


@pytest.mark.usefixtures("step")
async def test_more_than_a_thousand_pipelines_are_listed_completely(tenant: Tenant, door: Door) -> None:
    names = [f"p{number:05}" for number in range(MANY)]
    await create_many(tenant, names[::-1])

    assert [each["pipeline_name"] for each in await door.list_pipelines()] == names
    in_pages = names_in(await pages(tenant, "/pipelines?limit=500"))
    assert [len(page) for page in in_pages] == [500, 500, 234]
    assert list(chain.from_iterable(in_pages)) == names


@pytest.mark.usefixtures("step")
async def test_pages_follow_each_other_by_their_links_without_gap_or_double(tenant: Tenant) -> None:
    names = ["a", "a b", "a&b=c", "a+b", "B", "é", "日本"]
    await create_many(tenant, names)

    answers = await pages(tenant, "/pipelines?limit=2")

    ordered = sorted(names, key=str.encode)
    assert names_in(answers) == [ordered[0:2], ordered[2:4], ordered[4:6], ordered[6:]]


@pytest.mark.usefixtures("step")
async def test_a_page_that_holds_the_rest_has_no_next_one(tenant: Tenant) -> None:
    await create_many(tenant, ["a", "b", "c"])

    for limit in (3, 4, 1000):
        answer = await tenant.http.get("/pipelines", params={"limit": limit})
        assert (names_in([answer]), answer.links) == ([["a", "b", "c"]], {})


@pytest.mark.parametrize(("after", "found"), [("", "abc"), ("a", "bc"), ("aa", "bc"), ("c", ""), ("z", "")])
@pytest.mark.usefixtures("step")
async def test_a_list_begins_behind_any_name(tenant: Tenant, after: str, found: str) -> None:
    await create_many(tenant, ["a", "b", "c"])

    answer = await tenant.http.get("/pipelines", params={"after": after})

    assert names_in([answer]) == [list(found)]


@pytest.mark.usefixtures("step")
async def test_steps_and_deployments_are_paged_alike(tenant: Tenant, pipeline: str) -> None:
    await tenant.create_step("alpha")
    for name in ("live", "canary"):
        await tenant.create_endpoint(name, pipeline)

    steps, deployments = await pages(tenant, "/steps?limit=1"), await pages(tenant, "/deployments?limit=1")

    assert [answer.json()[0]["step_name"] for answer in steps] == ["alpha", "train"]
    assert [answer.json()[0]["name"] for answer in deployments] == ["canary", "live"]


@pytest.mark.usefixtures("step")
async def test_a_name_that_is_deleted_between_two_pages_leaves_no_gap(tenant: Tenant) -> None:
    await create_many(tenant, ["a", "b", "c", "d"])
    first = await tenant.http.get("/pipelines?limit=2")
    await tenant.http.delete("/pipelines/b")

    rest = await tenant.http.get("/pipelines", params={"limit": 2, "after": first.json()[-1]["pipeline_name"]})

    assert names_in([first, rest]) == [["a", "b"], ["c", "d"]]
