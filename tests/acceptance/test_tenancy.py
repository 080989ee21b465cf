"""Two environments with the same names in them: neither sees, changes or blocks the other's."""

from uuid import uuid4

import pytest

from events.commands import PipelineDeleteRequested, PipelineRequested
from tests.acceptance.feed import name_of, text
from tests.acceptance.problems import problem
from tests.acceptance.tenant import NewTenant, Tenant


@pytest.fixture
async def stranger(new_tenant: NewTenant) -> Tenant:
    return await new_tenant()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/pipelines/churn", "pipeline_not_found"),
        ("/pipelines/churn/executions/latest", "pipeline_not_found"),
        ("/steps/train", "step_not_found"),
        ("/deployments/live", "deployment_not_found"),
        ("/deployments/live/executions/latest", "deployment_not_found"),
    ],
)
async def test_another_environments_resource_is_not_found(
    tenant: Tenant, stranger: Tenant, pipeline: str, address: str, code: str
) -> None:
    await tenant.create_endpoint("live", pipeline)
    assert (await tenant.http.get(address)).status_code < 300

    problem(await stranger.http.get(address), 404, code)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/pipelines/churn?force_deployments_deletion=true", "pipeline_not_found"),
        ("/steps/train?force_dependents_deletion=true", "step_not_found"),
        ("/deployments/live", "deployment_not_found"),
    ],
)
async def test_another_environments_resource_cannot_be_deleted(
    tenant: Tenant, stranger: Tenant, pipeline: str, address: str, code: str
) -> None:
    await tenant.create_endpoint("live", pipeline)

    problem(await stranger.http.delete(address), 404, code)

    assert (await tenant.http.get(address.partition("?")[0])).status_code == 200


async def test_another_environments_step_cannot_be_used(stranger: Tenant, step: str) -> None:
    problem(await stranger.create_pipeline("churn", step), 404, "step_not_found")


@pytest.mark.usefixtures("pipeline")
async def test_another_environments_lists_are_not_seen(tenant: Tenant, stranger: Tenant) -> None:
    await tenant.create_endpoint("live", "churn")

    for collection in ("/steps", "/pipelines", "/deployments"):
        assert len((await tenant.http.get(collection)).json()) == 1
        assert (await stranger.http.get(collection)).json() == []


@pytest.mark.usefixtures("pipeline")
async def test_the_same_names_live_and_die_side_by_side(tenant: Tenant, stranger: Tenant) -> None:
    await stranger.create_step("train")
    await stranger.create_pipeline("churn", "train")
    await tenant.create_endpoint("live", "churn")
    await stranger.schedule("live", "churn", "0 3 * * *")

    deleted = await stranger.http.delete("/pipelines/churn", params={"force_deployments_deletion": True})

    assert deleted.json() == {
        "pipeline": {"name": "churn"},
        "deployments": [{"name": "live", "execution_rule": "periodic"}],
    }
    assert (await tenant.http.get("/deployments/live")).json()["execution_rule"] == "endpoint"
    assert await tenant.names("/pipelines", "pipeline_name") == ["churn"]
    assert await stranger.names("/pipelines", "pipeline_name") == []


async def test_a_command_by_kafka_reaches_its_own_environment_only(tenant: Tenant, stranger: Tenant, step: str) -> None:
    await stranger.create_step(step)

    (command_id,) = await stranger.ask(PipelineRequested(pipeline_name="churn", step_names=[step]))
    await stranger.result(command_id)

    assert await stranger.names("/pipelines", "pipeline_name") == ["churn"]
    assert await tenant.names("/pipelines", "pipeline_name") == []
    assert str(command_id) not in {text(each, "ce_commandid") for each in await tenant.history()}


async def test_the_same_command_id_in_two_environments_is_two_commands(tenant: Tenant, stranger: Tenant) -> None:
    command_id = uuid4()

    for each in (tenant, stranger):
        await each.ask(PipelineDeleteRequested(pipeline_name="churn"), id=command_id)

    assert [name_of(await each.result(command_id)) for each in (tenant, stranger)] == ["CommandRejected"] * 2


async def test_a_user_is_known_in_the_own_environment_only(
    new_tenant: NewTenant, tenant: Tenant, stranger: Tenant
) -> None:
    colleague = await new_tenant(tenant.environment)
    me = (await tenant.http.get("/users/me")).json()

    assert (await colleague.http.get(f"/users/{me['id']}")).json() == me
    problem(await stranger.http.get(f"/users/{me['id']}"), 404, "user_not_found")
