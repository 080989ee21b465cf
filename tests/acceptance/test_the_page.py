"""The page "Compose a pipeline", by each client that has its four functions: craft-ai-sdk unmodified, and our own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.doors import Door, DoorRefused
from tests.acceptance.tenant import Tenant

CREATED_KEYS = {"pipeline_name", "created_at", "steps", "inputs", "outputs"}
READ_KEYS = CREATED_KEYS | {"created_by", "last_execution_id"}
OPEN_INPUTS = [
    {
        "input_name": "months",
        "step_name": "train",
        "data_type": "number",
        "description": "As a customer",
        "default_value": None,
        "is_required": True,
    },
    {
        "input_name": "plan",
        "step_name": "train",
        "data_type": "string",
        "description": None,
        "default_value": "basic",
        "is_required": False,
    },
]
OPEN_OUTPUTS = [{"output_name": "risk", "step_name": "train", "data_type": "number", "description": "From 0 to 1"}]


async def test_a_created_pipeline_is_answered_and_read_with_every_key_of_the_page(
    door: Door, tenant: Tenant, step: str
) -> None:
    me = (await tenant.http.get("/users/me")).json()["id"]

    created = await door.create_pipeline("churn", step)
    read = await door.get_pipeline("churn")

    assert _only(created, CREATED_KEYS) == _only(read, CREATED_KEYS)
    assert _only(read, READ_KEYS - {"created_at"}) == {
        "pipeline_name": "churn",
        "created_by": me,
        "last_execution_id": None,
        "steps": ["train"],
        "inputs": OPEN_INPUTS,
        "outputs": OPEN_OUTPUTS,
    }
    assert abs(datetime.now(UTC) - datetime.fromisoformat(read["created_at"])) < timedelta(minutes=1)


async def test_the_keys_that_the_sdk_itself_documents_say_the_same(door: Door, step: str) -> None:
    await door.create_pipeline("churn", step)

    read = await door.get_pipeline("churn")

    assert (read["open_inputs"], read["open_outputs"]) == (OPEN_INPUTS, OPEN_OUTPUTS)


async def test_all_pipelines_are_listed_in_the_byte_order_of_their_names(door: Door, step: str) -> None:
    names = ["b", "a b", "B", "é", "a", "10", "9", "日本", "z"]
    for name in names:
        await door.create_pipeline(name, step)

    listed = await door.list_pipelines()

    assert [entry["pipeline_name"] for entry in listed] == sorted(names, key=str.encode)
    read = [await door.get_pipeline(entry["pipeline_name"]) for entry in listed]
    assert listed == [_only(each, {"pipeline_name", "created_at", "status"}) for each in read]
    assert {entry["status"] for entry in listed} == {"Ready"}


@pytest.mark.usefixtures("step")
async def test_where_there_is_no_pipeline_the_list_is_empty_and_get_gives_none(door: Door) -> None:
    assert await door.list_pipelines() == []
    assert await door.get_pipeline("churn") is None


async def test_a_deleted_pipeline_is_gone_and_its_name_is_free_again(door: Door, step: str) -> None:
    await door.create_pipeline("churn", step)

    answer = await door.delete_pipeline("churn")

    assert answer == {"pipeline": {"name": "churn"}, "deployments": []}
    assert await door.get_pipeline("churn") is None
    assert await door.list_pipelines() == []
    await door.create_pipeline("churn", step)
    assert await door.get_pipeline("churn") is not None


async def test_a_pipeline_that_deployments_use_is_kept_and_they_are_named(
    door: Door, tenant: Tenant, pipeline: str
) -> None:
    await _deploy_twice(tenant, pipeline)

    with pytest.raises(DoorRefused, match="'live', 'nightly'") as refused:
        await door.delete_pipeline(pipeline)

    assert (refused.value.code, refused.value.status) == ("pipeline_in_use", 409)
    assert refused.value.details["deployments"] == ["live", "nightly"]
    assert await door.get_pipeline(pipeline) is not None
    assert await tenant.names("/deployments", "name") == ["live", "nightly"]


async def test_a_forced_deletion_takes_the_deployments_along_and_names_exactly_them(
    door: Door, tenant: Tenant, step: str, pipeline: str
) -> None:
    await _deploy_twice(tenant, pipeline)
    await tenant.create_pipeline("other", step)
    await tenant.create_endpoint("stays", "other")

    answer = await door.delete_pipeline(pipeline, force_deployments_deletion=True)

    assert answer == {
        "pipeline": {"name": pipeline},
        "deployments": [
            {"name": "live", "execution_rule": "endpoint"},
            {"name": "nightly", "execution_rule": "periodic"},
        ],
    }
    assert await door.get_pipeline(pipeline) is None
    assert await tenant.names("/deployments", "name") == ["stays"]


@pytest.mark.parametrize(
    ("name", "step_name", "code", "status", "culprit"),
    [
        ("new", "absent", "step_not_found", 404, "absent"),
        ("new", "broken", "step_not_ready", 409, "broken"),
        ("churn", "train", "pipeline_exists", 409, "churn"),
        ("a/b", "train", "invalid_name", 422, "pipeline_name"),
        ("new", " ", "invalid_name", 422, "step_names"),
    ],
)
async def test_a_pipeline_that_cannot_be_created_is_refused_with_the_culprit(
    door: Door, tenant: Tenant, pipeline: str, name: str, step_name: str, code: str, status: int, culprit: str
) -> None:
    assert await tenant.create_step("broken", function_name="absent") == "Failed"

    with pytest.raises(DoorRefused, match=culprit) as refused:
        await door.create_pipeline(name, step_name)

    assert (refused.value.code, refused.value.status) == (code, status)
    assert await tenant.names("/pipelines", "pipeline_name") == [pipeline]


@pytest.mark.parametrize("force", [False, True])
async def test_a_missing_pipeline_cannot_be_deleted(door: Door, force: bool) -> None:
    with pytest.raises(DoorRefused, match="'churn'") as refused:
        await door.delete_pipeline("churn", force_deployments_deletion=force)

    assert (refused.value.code, refused.value.status) == ("pipeline_not_found", 404)


async def _deploy_twice(tenant: Tenant, pipeline: str) -> None:
    assert (await tenant.schedule("nightly", pipeline, "0 3 * * *")).status_code == 201
    assert (await tenant.create_endpoint("live", pipeline)).status_code == 201


def _only(document: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: document[key] for key in keys}
