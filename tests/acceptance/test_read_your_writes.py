"""What an answer tells can be read at once, by everyone and everywhere; and what was read can be relied on."""

from collections.abc import AsyncIterator

import pytest

from pipeloom.client import AsyncClient
from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import NewTenant, Tenant


@pytest.fixture
async def reader(new_tenant: NewTenant, tenant: Tenant, stack: Stack) -> AsyncIterator[AsyncClient]:
    """A colleague on a connection of their own."""
    colleague = await new_tenant(tenant.environment)
    async with AsyncClient(stack.url, colleague.member.sdk_token) as client:
        yield client


async def test_50_creations_are_each_read_and_listed_at_once(tenant: Tenant, step: str, reader: AsyncClient) -> None:
    for number in range(50):
        name = f"p{number:02}"
        created = await tenant.create_pipeline(name, step)
        read, listed = await reader.get_pipeline(name), await reader.list_pipelines()

        assert (created.status_code, created.json()) == (201, read)
        assert [each["pipeline_name"] for each in listed] == [f"p{each:02}" for each in range(number + 1)]


async def test_50_deletions_are_each_seen_at_once(tenant: Tenant, step: str, reader: AsyncClient) -> None:
    for _ in range(50):
        await tenant.create_pipeline("churn", step)
        assert (await tenant.http.delete("/pipelines/churn")).status_code == 200

        assert await reader.get_pipeline("churn") is None
        assert await reader.list_pipelines() == []


@pytest.mark.parametrize("address", ["/pipelines/churn", "/steps/train", "/deployments/live"])
async def test_what_is_known_already_is_not_sent_again(tenant: Tenant, pipeline: str, address: str) -> None:
    await tenant.create_endpoint("live", pipeline)
    first = await tenant.http.get(address)
    etag = first.headers["etag"]

    for known in (etag, f"W/{etag}", f'"0", {etag}', "*"):
        again = await tenant.http.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    other = await tenant.http.get(address, headers={"If-None-Match": '"0"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_the_tag_of_an_answer_is_the_tag_of_what_it_created(tenant: Tenant, step: str) -> None:
    created = await tenant.create_pipeline("churn", step)
    read = await tenant.http.get(created.headers["location"].removeprefix("/api/v1"))

    assert created.headers["etag"] == read.headers["etag"]


async def test_a_pipeline_that_was_replaced_has_another_tag(tenant: Tenant, step: str) -> None:
    tags = []
    for _ in range(2):
        await tenant.create_pipeline("churn", step)
        tags.append((await tenant.http.get("/pipelines/churn")).headers["etag"])
        await tenant.http.delete("/pipelines/churn")

    assert tags[0] != tags[1]


async def test_a_deletion_of_what_was_read_succeeds(tenant: Tenant, pipeline: str) -> None:
    etag = (await tenant.http.get(f"/pipelines/{pipeline}")).headers["etag"]

    answer = await tenant.http.delete(f"/pipelines/{pipeline}", headers={"If-Match": etag})

    assert answer.status_code == 200


async def test_a_deletion_of_what_was_replaced_meanwhile_is_refused(tenant: Tenant, step: str, pipeline: str) -> None:
    etag = (await tenant.http.get(f"/pipelines/{pipeline}")).headers["etag"]
    await tenant.http.delete(f"/pipelines/{pipeline}")
    await tenant.create_pipeline(pipeline, step)

    answer = await tenant.http.delete(f"/pipelines/{pipeline}", headers={"If-Match": etag})

    assert "Read it again" in problem(answer, 412, "precondition_failed")["message"]
    assert await tenant.names("/pipelines", "pipeline_name") == [pipeline]


@pytest.mark.parametrize("tag", ["1", '"one"', "W/1", '"1", "2"', "''"])
async def test_a_tag_that_no_answer_gave_is_refused(tenant: Tenant, pipeline: str, tag: str) -> None:
    answer = await tenant.http.delete(f"/pipelines/{pipeline}", headers={"If-Match": tag})

    problem(answer, 400, "invalid_header")
    assert await tenant.names("/pipelines", "pipeline_name") == [pipeline]
