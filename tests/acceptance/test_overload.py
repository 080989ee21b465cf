"""One environment asks for far more than its share."""

import asyncio
from collections import Counter

import httpx

from tests.acceptance.tenant import NO_TLS, NewTenant, Tenant

MANY = 300
PIPELINES = ("/pipelines", "pipeline_name")


async def test_a_burst_is_answered_or_refused_and_nothing_of_it_is_lost_or_made_up(new_tenant: NewTenant) -> None:
    # Given
    noisy, quiet = await new_tenant(), await new_tenant()
    for each in (noisy, quiet):
        assert await each.create_step("train") == "Ready"
    # When one bursts, and the other one asks meanwhile
    names = [f"p{number}" for number in range(MANY)]
    bursting = asyncio.ensure_future(_burst(noisy, names))
    during = await quiet.create_pipeline("meanwhile", "train")
    answers = await bursting
    # Then every request has an answer, which is true, and refusals say when to come back
    codes = Counter(answer.status_code for answer in answers.values())
    assert codes.keys() <= {201, 429}, codes
    assert during.status_code == 201
    created = {name for name, answer in answers.items() if answer.status_code == 201}
    refused = {name: answer for name, answer in answers.items() if answer.status_code == 429}
    assert {answer.json()["name"] for answer in refused.values()} == {"environment_overloaded"}
    assert all("retry-after" in answer.headers for answer in refused.values())
    assert set(await noisy.names(*PIPELINES)) == created
    # When what was refused is asked for again
    again = [await noisy.create_pipeline(name, "train") for name in refused]
    # Then all is there
    assert {answer.status_code for answer in again} == {201}
    assert set(await noisy.names(*PIPELINES)) == set(names)


async def _burst(tenant: Tenant, names: list[str]) -> dict[str, httpx.Response]:
    """Create all at once, each over a connection of its own."""
    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": tenant.http.headers["Authorization"]}
    async with httpx.AsyncClient(
        base_url=tenant.http.base_url, headers=headers, limits=limits, timeout=60, verify=NO_TLS
    ) as http:
        bodies = [{"pipeline_name": name, "step_names": ["train"]} for name in names]
        answers = await asyncio.gather(*(http.post("/pipelines", json=body) for body in bodies))
    return dict(zip(names, answers, strict=True))
