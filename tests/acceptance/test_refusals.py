"""What the state of an environment does not allow: refused with the code, the culprit and what to do."""

from typing import Any

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.tenant import Tenant

Asked = tuple[str, str, Any]


def post(path: str, **body: Any) -> Asked:
    return ("POST", path, body)


def delete(path: str) -> Asked:
    return ("DELETE", path, None)


PIPELINE = {"pipeline_name": "new", "step_names": ["train"]}
STEP = {"step_name": "train", "function_path": "a.py", "function_name": "a"}

REFUSED: dict[str, tuple[Asked, int, str, dict[str, Any], str]] = {
    "a pipeline on an unknown step": (
        post("/pipelines", **(PIPELINE | {"step_names": ["absent"]})),
        404,
        "step_not_found",
        {"step_name": "absent"},
        "Create it first",
    ),
    "a pipeline on a failed step": (
        post("/pipelines", **(PIPELINE | {"step_names": ["broken"]})),
        409,
        "step_not_ready",
        {"step_name": "broken", "status": "Failed"},
        "Mend it and create it again",
    ),
    "a pipeline of a taken name": (
        post("/pipelines", **(PIPELINE | {"pipeline_name": "churn"})),
        409,
        "pipeline_exists",
        {"pipeline_name": "churn"},
        "Delete it first, or choose another name",
    ),
    "a pipeline of no step": (
        post("/pipelines", **(PIPELINE | {"step_names": []})),
        422,
        "single_step_only",
        {},
        "exactly one step",
    ),
    "a pipeline of two steps": (
        post("/pipelines", **(PIPELINE | {"step_names": ["train", "broken"]})),
        422,
        "single_step_only",
        {},
        "exactly one step",
    ),
    "the deletion of a missing pipeline": (
        delete("/pipelines/absent"),
        404,
        "pipeline_not_found",
        {"pipeline_name": "absent"},
        "check the name",
    ),
    "the deletion of a pipeline in use": (
        delete("/pipelines/churn"),
        409,
        "pipeline_in_use",
        {"pipeline_name": "churn", "deployments": ["live", "nightly"]},
        "repeat with force_deployments_deletion=true",
    ),
    "the deletion of a pipeline in use, not forced as the SDK says it": (
        delete("/pipelines/churn?force_deployments_deletion=False"),
        409,
        "pipeline_in_use",
        {"pipeline_name": "churn", "deployments": ["live", "nightly"]},
        "'live', 'nightly'",
    ),
    "a step of a taken name": (post("/steps", **STEP), 409, "step_exists", {"step_name": "train"}, "another name"),
    "the deletion of a missing step": (
        delete("/steps/absent"),
        404,
        "step_not_found",
        {"step_name": "absent"},
        "check the name",
    ),
    "the deletion of a step in use": (
        delete("/steps/train"),
        409,
        "step_in_use",
        {"step_name": "train", "pipelines": ["churn"]},
        "repeat with force_dependents_deletion=true",
    ),
    "an endpoint of a missing pipeline": (
        post("/endpoints", name="new", pipeline_name="absent"),
        404,
        "pipeline_not_found",
        {"pipeline_name": "absent"},
        "Create it first",
    ),
    "an endpoint of a taken name": (
        post("/endpoints", name="live", pipeline_name="churn"),
        409,
        "deployment_exists",
        {"deployment_name": "live"},
        "another name",
    ),
    "an endpoint with a schedule": (
        post("/endpoints", name="new", pipeline_name="churn", schedule="0 3 * * *"),
        422,
        "invalid_schedule",
        {},
        "leave it out",
    ),
    "a new token for a missing endpoint": (
        post("/endpoints/absent/generate-new-token"),
        404,
        "deployment_not_found",
        {"deployment_name": "absent"},
        "Check the name",
    ),
    "a new token for a periodic deployment": (
        post("/endpoints/nightly/generate-new-token"),
        409,
        "wrong_execution_rule",
        {"deployment_name": "nightly", "execution_rule": "periodic"},
        "only endpoints have tokens",
    ),
    "the deletion of a missing variable": (
        delete("/environment-variables/ABSENT"),
        404,
        "environment_variable_not_found",
        {"environment_variable_name": "ABSENT"},
        "Check the name",
    ),
    "the deletion of a missing deployment": (
        delete("/deployments/absent"),
        404,
        "deployment_not_found",
        {"deployment_name": "absent"},
        "Check the name",
    ),
}


@pytest.fixture
async def busy(tenant: Tenant, pipeline: str) -> Tenant:
    """An environment with a step, a step that failed, a pipeline and two deployments of it."""
    assert await tenant.create_step("broken", function_name="absent") == "Failed"
    assert (await tenant.create_endpoint("live", pipeline)).status_code == 201
    assert (await tenant.schedule("nightly", pipeline, "0 3 * * *")).status_code == 201
    return tenant


async def everything(tenant: Tenant) -> list[Any]:
    return [(await tenant.http.get(path)).json() for path in ("/steps", "/pipelines", "/deployments")]


@pytest.mark.parametrize(("asked", "status", "code", "culprits", "advice"), REFUSED.values(), ids=REFUSED)
async def test_what_the_state_does_not_allow_is_refused_and_changes_nothing(
    busy: Tenant, asked: Asked, status: int, code: str, culprits: dict[str, Any], advice: str
) -> None:
    before = await everything(busy)
    method, path, body = asked

    answer = await busy.http.request(method, path, json=body)

    told = problem(answer, status, code)
    command_id = told["additional_data"].pop("command_id")
    assert told["additional_data"] == culprits
    assert advice in told["message"]
    assert answer.headers["location"] == f"/api/v1/commands/{command_id}"
    assert await everything(busy) == before


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/pipelines/absent", "pipeline_not_found"),
        ("/pipelines/absent/executions/latest", "pipeline_not_found"),
        ("/steps/absent", "step_not_found"),
        ("/deployments/absent", "deployment_not_found"),
        ("/deployments/absent/executions/latest", "deployment_not_found"),
        ("/deployments/absent/schedule", "deployment_not_found"),
        ("/users/00000000-0000-0000-0000-000000000000", "user_not_found"),
    ],
)
async def test_what_is_not_there_cannot_be_read(tenant: Tenant, address: str, code: str) -> None:
    problem(await tenant.http.get(address), 404, code)


async def test_what_was_never_executed_has_no_last_execution(busy: Tenant) -> None:
    addresses = ("/pipelines/churn/executions/latest", "/deployments/live/executions/latest")

    answers = [await busy.http.get(address) for address in addresses]

    assert [(each.status_code, each.content) for each in answers] == [(204, b"")] * 2


async def test_a_step_whose_build_never_ends_stays_pending_and_cannot_be_used(tenant: Tenant, silent_host: str) -> None:
    body = tenant.step_body("train", container_config={"repository_url": f"https://{silent_host}/churn"})
    assert (await tenant.http.post("/steps", json=body)).status_code == 206

    answer = await tenant.create_pipeline("churn", "train")

    told = problem(answer, 409, "step_not_ready")
    assert told["additional_data"]["status"] == "Pending"
    assert "Wait until it is Ready" in told["message"]
    assert (await tenant.http.delete("/steps/train")).json() == {"step_name": "train"}


async def test_a_password_in_a_repositorys_address_goes_nowhere(tenant: Tenant) -> None:
    config = {"repository_url": "https://ada:sesame@git.example/churn.git"}

    asked = await tenant.http.post("/steps", json=tenant.step_body("train", container_config=config))
    changed = await tenant.http.put("/steps/train", json={"container_config": config})

    for answer in (asked, changed):
        assert "sesame" not in problem(answer, 422, "secret_in_the_clear")["message"]
    assert await tenant.sent() == []
